module example.com/unchanged

go 1.24.0

require github.com/groupcache/groupcache-go/v3 v3.5.0

replace github.com/groupcache/groupcache-go/v3 => github.com/cohort-cache/cohort/bindings/go/replace v0.1.0
