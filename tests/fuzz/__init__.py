"""Hostile input, systematically: rooms in which cases are made by a keyed generator, and what must hold of each.

    cd tests && python -m fuzz --minutes 10           every room, random keys; `make fuzz` does this
    cd tests && python -m fuzz --room seeds --key 7 --case 123      one case again, told in full

A room makes a case from (room, key, number) alone. Whatever it hands in, the answer is a result or an AttnprobeError:
no other exception, no warning, no hang, no memory beyond a limit; and a result must be right (each room says how it
knows). tests/fuzz/test_fuzz.py runs some thousands of them with fixed keys.
"""
