package core

// Error is a failure of a call into libcohort.
type Error struct {
	Status  int32 // COHORT_*
	Message string
}

func (e *Error) Error() string {
	if e.Message == "" {
		return "cohort: " + CString(Cohort_status_name(int(e.Status)))
	}
	return "cohort: " + e.Message
}

// Is makes errors.Is work by status: errors.Is(err, &core.Error{Status: core.COHORT_CLOSED}).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Message == "" && t.Status == e.Status
}

// takeError copies what an error object holds.
func takeError(object uintptr) *Error {
	return &Error{
		Status:  int32(Cohort_error_status(object)),
		Message: String(Cohort_error_message(object), Cohort_error_message_size(object)),
	}
}

// Try runs one call with an error object of its own; for calls that are rare.
func Try(call func(object uintptr) (ok bool)) error {
	Fence()
	defer Fence()
	object := Cohort_error_new()
	defer Cohort_error_free(object)
	if call(object) {
		return nil
	}
	return takeError(object)
}
