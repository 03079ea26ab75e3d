"""``python -m attnprobe.cli``."""

from attnprobe.cli import main

if __name__ == "__main__":
    main()
