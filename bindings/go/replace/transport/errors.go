package transport

import "errors"

// ErrNotFound is what a getter returns when there is no such key. It travels: whoever asked, on whatever node, gets an
// ErrNotFound with the same message, and no other getter is tried.
type ErrNotFound struct {
	Msg string
}

func (e *ErrNotFound) Error() string { return e.Msg }

// Is reports whether target is an ErrNotFound, whatever its message.
func (e *ErrNotFound) Is(target error) bool {
	var same *ErrNotFound
	return errors.As(target, &same)
}

// ErrRemoteCall says that the getter of the key's owner failed with anything but ErrNotFound. The getter of the node that
// asked is not tried.
type ErrRemoteCall struct {
	Msg string
}

func (e *ErrRemoteCall) Error() string { return e.Msg }

// Is reports whether target is an ErrRemoteCall, whatever its message.
func (e *ErrRemoteCall) Is(target error) bool {
	var same *ErrRemoteCall
	return errors.As(target, &same)
}
