"""Two members of one cluster in one process, in Python: each key is loaded once, by its owner, whoever asks.

usage: python main.py
"""

import itertools

import cohort

loads = itertools.count()


def join(name: str) -> tuple[cohort.Instance, cohort.Group[str]]:
    """Starts one member with its getter: here would be a database."""
    node = cohort.Instance("127.0.0.1:0")

    @node.group("greetings", codec=cohort.TEXT, cache_bytes=64 << 20)
    def greetings(key: str) -> str:
        next(loads)
        return f"hello {key}, loaded by {name}"

    return node, greetings


def main() -> None:
    one, from_one = join("one")
    two, from_two = join("two")
    with one, two:
        for node in (one, two):
            node.set_peers([one.address, two.address])
        for key in ("ada", "grace", "barbara"):
            print("one gets:", from_one.get(key, timeout=1))
            print("two gets:", from_two.get(key, timeout=1))
        from_one.set("ada", "hello Countess", ttl=5 * 60)
        print("two gets:", from_two.get("ada", timeout=1))
        from_two.remove("ada")
        print("one gets:", from_one.get("ada", timeout=1))
        print(next(loads), "loads")


if __name__ == "__main__":
    main()
