/// Older versions of symbols of glibc, for binaries that run on older systems than the one that built them.
///
/// The linker takes the newest version of each symbol that the building machine has, and the loader then refuses the
/// binary wherever that version is missing, though the function is there. Node itself asks for glibc 2.28, so nothing
/// younger may be asked for here; scripts/addon-binary.test.ts holds it to that. Every source is compiled with this
/// header in front. x86-64 only: no other machine has a binary so far.
#pragma once

#if defined(__linux__) && defined(__x86_64__) && __has_include(<gnu/libc-version.h>)
// Part of libc itself since glibc 2.34 (pthread_sigmask 2.32), of libpthread before.
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_join, pthread_join@GLIBC_2.2.5");
__asm__(".symver pthread_sigmask, pthread_sigmask@GLIBC_2.2.5");
// Since glibc 2.29 without a wrapper that reports errors the old way; the same numbers.
__asm__(".symver exp, exp@GLIBC_2.2.5");
__asm__(".symver exp2, exp2@GLIBC_2.2.5");
__asm__(".symver log, log@GLIBC_2.2.5");
__asm__(".symver log2, log2@GLIBC_2.2.5");
__asm__(".symver pow, pow@GLIBC_2.2.5");
#endif
