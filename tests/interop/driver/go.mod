module github.com/cohort-cache/cohort/tests/interop/driver

go 1.24.0
