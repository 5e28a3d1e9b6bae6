//go:build !race

package core

// Fence tells the race detector what it cannot see: what happened before a call into the engine happened before the
// event that follows from it. Every way in and every way out passes here. Without the detector it is nothing.
func Fence() {}
