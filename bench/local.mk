# bench: see the head of Makefile.am
EXTRA_DIST += bench/bench.py bench/db.py bench/list.py bench/master.py bench/walk.py bench/MEASURED.md

# A service and its clients for the tests and benchmarks of master; no library of ours in them.
check_PROGRAMS += bench_worker bench_clients
bench_worker_SOURCES = bench/worker.c
bench_worker_LDADD =
bench_clients_SOURCES = bench/clients.c
bench_clients_LDADD =

# The store's walk against find.
check_PROGRAMS += bench_walk
bench_walk_SOURCES = bench/walk.c
bench_walk_LDADD = $(LIB_LIBS)

# `make bench`: needs root; times our server and, where they are installed, Debian's Cyrus and Dovecot
bench: all bench_worker bench_clients bench_walk
	python3 $(srcdir)/bench/bench.py --builddir .
	python3 $(srcdir)/bench/db.py --builddir .
	python3 $(srcdir)/bench/list.py --builddir .
	python3 $(srcdir)/bench/master.py --builddir .
	python3 $(srcdir)/bench/walk.py --builddir .
.PHONY: bench
