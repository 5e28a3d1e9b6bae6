"""What the programs are called in tables."""

CPP, GO, JAVA, RUST, PYTHON = "cohort (C++)", "cohort (Go)", "cohort (Java)", "cohort (Rust)", "cohort (Python)"
UPSTREAM, TUNED, ORIGINAL = "groupcache-go", "groupcache-go, tuned", "golang/groupcache"
OTTER, RISTRETTO, CAFFEINE = "otter (Go)", "ristretto (Go)", "Caffeine (Java)"
QUICK, MOKA = "quick_cache (Rust)", "moka (Rust)"
FLAT, FLAT_HUGE, MEMCPY = "flat table, no lock", "flat table, no lock, huge pages", "memcpy alone"
MEMCACHED, REDIS = "memcached", "redis"
DICT, CACHETOOLS = "dict (Python)", "cachetools (Python)"
