# bench: see the head of Makefile.am
EXTRA_DIST += bench/bench.py bench/MEASURED.md

# `make bench`: needs root; times our server and, where they are installed, Debian's Cyrus and Dovecot
bench: all
	python3 $(srcdir)/bench/bench.py --builddir .
.PHONY: bench
