#!/bin/sh
exec ./fuzz_cyrusconf "${srcdir:-.}"/fuzz/corpus/cyrusconf/*
