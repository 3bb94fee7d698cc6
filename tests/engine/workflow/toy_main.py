"""`python toy_main.py run CONFIG`: the command line with the toy study, which a test may kill."""

from __future__ import annotations

import signal

import killing

if __name__ == "__main__":
    import toy  # noqa: F401  (registers its study)

    from quarkline.cli.main import main

    # a shell's background job ignores Ctrl-C, and passes that on to what it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)
    killing.arm("main")
    main()
elif __name__ == "__mp_main__":
    killing.arm("worker")
