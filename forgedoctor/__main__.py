"""``python -m forgedoctor``."""

from forgedoctor.cli import main

if __name__ == "__main__":
    main()
