module example.com/user

go 1.24.0

require github.com/cohort-cache/cohort/bindings/go v0.1.0
