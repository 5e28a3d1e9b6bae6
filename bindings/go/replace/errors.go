package groupcache

import "strings"

// MultiError is several errors at once: what Remove, RemoveKeys and Set return when peers did not acknowledge.
type MultiError struct {
	errors []error
}

// Add adds an error; nil is not added.
func (m *MultiError) Add(err error) {
	if err != nil {
		m.errors = append(m.errors, err)
	}
}

// Error lists the errors, one a line.
func (m *MultiError) Error() string {
	lines := make([]string, len(m.errors))
	for i, err := range m.errors {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// NilOrError returns nil if there are no errors.
func (m *MultiError) NilOrError() error {
	if len(m.errors) == 0 {
		return nil
	}
	return m
}

// Unwrap lets errors.Is and errors.As look at each of them.
func (m *MultiError) Unwrap() []error { return m.errors }

// ErrRemoteCall is kept for programs that name it; Get returns a *transport.ErrRemoteCall.
type ErrRemoteCall struct {
	Msg string
}
