#!/bin/sh
exec ./fuzz_cyrusconf "${srcdir:-.}"/fuzz/seeds/cyrusconf/*
