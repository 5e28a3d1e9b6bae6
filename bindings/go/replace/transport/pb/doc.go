// Package pb holds the messages that groupcache-go v3 nodes exchange.
package pb
