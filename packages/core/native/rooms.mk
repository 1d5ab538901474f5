# Which of the C sources belong to which build. binding.gyp has the hosted list once more, for the addon.
#
# The rooms below are in every build. hosted/ and os/libc.c stand on a C library; freestanding/ and os/raw.c, os/small.c, os/format.c are in their place where there
# is none. hosted/ and freestanding/ have headers of the same names, of which each build sees one.

ROOMS := lock msg rfork sched stack thread watch
HOSTED := $(ROOMS:%=src/%/*.c) src/hosted/*.c src/os/libc.c
FREESTANDING_ONLY := src/os/raw.c src/os/small.c src/os/format.c
