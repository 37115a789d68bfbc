/* SPDX-License-Identifier: MIT */
/*
 * For LD_PRELOAD: a machine that is short of memory once. Of all that is asked of malloc() and its
 * kin, what the variable FAILING has the number of fails, and nothing else. How often it was asked
 * stands in the file FAILING_COUNT.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* glibc's own, which are there under these names for whoever replaces the others */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static unsigned long asked, failing;
static pid_t began;

__attribute__((constructor)) static void begin(void)
{
	const char *number = getenv("FAILING");

	failing = number ? strtoul(number, NULL, 10) : 0;
	asked = 0;
	/* what it starts is another matter */
	began = getpid();
	(void)unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAILING_COUNT");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;

	if (fd < 0)
		return;
	(void)dprintf(fd, "%lu\n", asked);
	(void)close(fd);
}

static bool fails(void)
{
	if (getpid() != began || ++asked != failing)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
	if (size == 0 || count <= (size_t)-1 / size)
		return realloc(old, count * size);
	errno = ENOMEM;
	return NULL;
}
