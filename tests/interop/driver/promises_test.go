// Package driver proves that any mix of conformance nodes is one groupcache cluster.
package driver

import (
	"flag"
	"os"
	"testing"
)

// The tests mostly wait for nodes: more of them at once than there are processors.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("16")
	}
	os.Exit(m.Run())
}

// promises are what every mix keeps. Each works on keys of its own, so that they all run at once on one cluster; where
// the real groupcache-go does not keep one, the test says so at that place.
var promises = []struct {
	name  string
	check func(t *testing.T, c *Cluster)
}{
	{"EveryNodeNamesTheSameOwner", sameOwners},
	{"EachKeyIsLoadedOnceInTheCluster", loadedOnce},
	{"ConcurrentGetsOfOneColdKeyAreOneLoad", oneColdKey},
	{"AThousandGetsAtOnceLoadEachKeyOnce", aThousandGets},
	{"ValuesArriveAsTheyWereLoaded", valuesArrive},
	{"ExpiriesTravelAndHold", expiriesTravel},
	{"NotFoundIsFinal", notFoundIsFinal},
	{"AFailedGetterIsFinal", failureIsFinal},
	{"SetIsSeenEverywhere", setIsSeen},
	{"SetCarriesItsExpiry", setExpires},
	{"SetWithAPastExpiryForgets", setInThePast},
	{"SetOfTheEmptyKeyIsAnError", setEmptyKey},
	{"RemoveIsSeenEverywhere", removeIsSeen},
	{"RemoveKeysIsSeenEverywhere", removeKeysIsSeen},
	{"OddKeysAreKeys", oddKeysAreKeys},
	{"OneCallersTimeoutIsItsOwn", timeoutIsOwn},
	{"OneCallersLeavingIsItsOwn", leavingIsOwn},
	{"ALoadOvertakenByRemoveIsNotKept", overtakenByRemove},
	{"ALoadOvertakenBySetIsNotKept", overtakenBySet},
}

func TestCluster(t *testing.T) {
	for _, m := range mixes(t) {
		t.Run(m.String(), func(t *testing.T) {
			c := start(t, m)
			t.Run("StatsAreCounted", func(t *testing.T) { statsAreCounted(t, c) })
			t.Run("Promises", func(t *testing.T) {
				for _, promise := range promises {
					t.Run(promise.name, func(t *testing.T) {
						t.Parallel()
						promise.check(t, c)
					})
				}
			})
		})
	}
}
