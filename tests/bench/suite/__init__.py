"""The benchmark suite: what it asks, of whom, and how it shows the answers. ../README.md tells the story."""
