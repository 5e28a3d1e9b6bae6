package harness

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log"
	"math"
	"sort"
	"strconv"
)

// ValueBytes is the size of each value but for fill.
const ValueBytes = 1024

// Order is how many draws an order has; then it begins again.
const Order = 1 << 18

// Key is the i-th key, of 12 bytes.
func Key(i int) string { return fmt.Sprintf("key-%08d", i) }

// NumberOf is what Key made the key of.
func NumberOf(key string) int { return Must(strconv.Atoi(key[len("key-"):])) }

// Keys are the first n keys.
func Keys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = Key(i)
	}
	return keys
}

// Random is splitmix64 (Steele, Lea and Flood 2014), which each language of the benchmarks has in the same words.
type Random uint64

// Next is the next number.
func (r *Random) Next() uint64 {
	*r += 0x9e3779b97f4a7c15
	x := uint64(*r)
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// Value is the value of the i-th key, which each language makes in the same way: the first word of Random(i), little endian,
// again and again. Every byte is written: what make returns may be pages that nobody has touched, and those are all the one
// page of zeroes that the kernel has, which stays in the processor's caches whatever the keys are.
func Value(i, size int) []byte {
	value := make([]byte, (size+7)/8*8)
	random := Random(i)
	word := random.Next()
	for at := 0; at < size; at += 8 {
		binary.LittleEndian.PutUint64(value[at:], word)
	}
	return value[:size:size]
}

// Verify ends the program when the value of the i-th key is another one: a wrong cache is told, not measured.
func Verify(i int, value []byte) {
	if !bytes.Equal(value, Value(i, ValueBytes)) {
		log.Fatalf("bench: the value of %s is not the one that was set", Key(i))
	}
}

// ZipfOrder draws numbers below n by a Zipf distribution with exponent 0.99; popular ones are spread over all of them.
func ZipfOrder(n int, seed uint64) []uint32 {
	sums := make([]float64, n)
	sum := 0.0
	for i := range sums {
		sum += math.Pow(float64(i+1), -0.99)
		sums[i] = sum
	}
	random := Random(seed)
	order := make([]uint32, Order)
	for i := range order {
		at := float64(random.Next()>>11) * 0x1p-53 * sum
		rank := min(sort.SearchFloat64s(sums, at), n-1)
		order[i] = uint32(rank * 48271 % n)
	}
	return order
}

// Asked are the keys of a process, and the orders in which its workers ask for them.
type Asked struct {
	Keys   []string
	orders [8][]uint32
}

// NewAsked draws the orders.
func NewAsked(entries int) *Asked {
	a := &Asked{Keys: Keys(entries)}
	for w := range a.orders {
		a.orders[w] = ZipfOrder(entries, uint64(w))
	}
	return a
}

// Key is the one that a worker asks for in its n-th call.
func (a *Asked) Key(worker, n int) string { return a.Keys[a.orders[worker%8][n%Order]] }
