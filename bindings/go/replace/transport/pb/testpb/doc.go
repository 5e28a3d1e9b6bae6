// Package testpb holds messages for tests.
package testpb
