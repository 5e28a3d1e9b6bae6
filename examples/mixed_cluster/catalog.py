#!/usr/bin/env python3
"""Puts the Debian package index of this machine into a SQLite database.

The records come from the apt lists (`apt-cache dumpavail`, tens of thousands) and, for what is installed, from dpkg's status.
Usage: catalog.py DATABASE
"""

import os
import re
import sqlite3
import subprocess
import sys

STATUS = "/var/lib/dpkg/status"


def records(lines):
    """Yields each paragraph of a control file as a dict of its one-line fields."""
    record = {}
    for line in lines:
        line = line.rstrip("\n")
        if not line:
            if record:
                yield record
            record = {}
        elif line[0] not in " \t" and ":" in line:
            field, value = line.split(":", 1)
            record[field] = value.strip()
    if record:
        yield record


def clauses(record):
    """The record's dependencies: a list of alternatives for each."""
    text = ", ".join(filter(None, (record.get("Pre-Depends"), record.get("Depends"))))
    for clause in filter(None, (part.strip() for part in text.split(","))):
        yield [re.split(r"[\s(:\[<]", alternative.strip())[0] for alternative in clause.split("|")]


def main(path):
    available = subprocess.run(["apt-cache", "dumpavail"], check=True, capture_output=True, text=True).stdout
    with open(STATUS, encoding="utf-8") as status:
        installed = {r["Package"]: r for r in records(status) if r.get("Status", "").endswith(" installed")}
    packages = dict(installed)
    versions = {(name, r["Version"]) for name, r in installed.items()}
    for record in records(available.splitlines()):
        packages.setdefault(record["Package"], record)
        versions.add((record["Package"], record["Version"]))
    providers = {}
    for name in sorted(packages):
        for provided in packages[name].get("Provides", "").split(","):
            virtual = re.split(r"[\s(]", provided.strip())[0]
            if virtual:
                providers.setdefault(virtual, name)

    def resolve(alternatives):
        for name in alternatives:
            if name in packages:
                return name
        for name in alternatives:
            if name in providers:
                return providers[name]
        return None

    depends = {
        (name, target)
        for name, record in packages.items()
        for target in (resolve(alternatives) for alternatives in clauses(record))
        if target and target != name
    }
    partial = path + ".partial"
    if os.path.exists(partial):
        os.remove(partial)
    database = sqlite3.connect(partial)
    database.executescript(
        """
        CREATE TABLE packages(name TEXT PRIMARY KEY, description TEXT, section TEXT, installed TEXT, kib INTEGER) WITHOUT ROWID;
        CREATE TABLE versions(package TEXT, version TEXT, PRIMARY KEY(package, version)) WITHOUT ROWID;
        CREATE TABLE depends(package TEXT, dependency TEXT, PRIMARY KEY(package, dependency)) WITHOUT ROWID;
        """
    )
    database.executemany(
        "INSERT INTO packages VALUES(?,?,?,?,?)",
        (
            (
                name,
                r.get("Description", r.get("Description-en", "")),
                r.get("Section", ""),
                installed[name]["Version"] if name in installed else "no",
                int(r.get("Installed-Size", "0") or 0),
            )
            for name, r in packages.items()
        ),
    )
    database.executemany("INSERT INTO versions VALUES(?,?)", sorted(versions))
    database.executemany("INSERT INTO depends VALUES(?,?)", sorted(depends))
    database.commit()
    database.close()
    os.replace(partial, path)
    print(f"{len(packages):,} packages, {len(installed):,} of them installed, {len(depends):,} dependencies: {path}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip().splitlines()[-1])
    main(sys.argv[1])
