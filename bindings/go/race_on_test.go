//go:build race

package groupcache_test

const raceEnabled = true
