/* SPDX-License-Identifier: MIT */
/*
 * noptrace-probe: finds out what ptrace can do on this machine, by trying.
 *
 * noptrace-image(8) puts it as /sbin/init into the small real root that it boots an image against:
 * there it is the first process of the real root, so what it finds is what any process would. It
 * answers on the guest's second serial line and powers the guest off. With another PID it answers
 * on stdout and ends, if it is called as "noptrace-probe lower": it lowers the scope if the kernel
 * lets it, so that nobody is to run it outside of a guest, or by mistake. Any other call but
 * "nothing" exits 64.
 *
 * The answer is one line each of "NAME VALUE", VALUE being "ok" or an errno's name where a call was
 * tried, and "end" as the last, so that a cut answer is seen to be one.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* The same for every architecture; headers of kernels before 5.3 and 5.6 (RHEL 8, SLE 15) lack
 * them. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define SCOPE "/proc/sys/kernel/yama/ptrace_scope"
#define STRACE "/usr/bin/strace"

/* The second serial line of the guests of noptrace-image; arm64's first is not a ttyS. */
#ifdef __aarch64__
#define LINE "/dev/ttyS0"
#else
#define LINE "/dev/ttyS1"
#endif

static void answer(const char *name, int error)
{
	static const struct {
		int error;
		const char *name;
	} known[] = {
		{ 0, "ok" },	      { EPERM, "EPERM" }, { EACCES, "EACCES" },
		{ EINVAL, "EINVAL" }, { EROFS, "EROFS" }, { ENOENT, "ENOENT" },
		{ ENOSYS, "ENOSYS" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (known[i].error == error) {
			printf("%s %s\n", name, known[i].name);
			return;
		}
	}
	printf("%s errno %d\n", name, error);
}

static void answer_scope(const char *name)
{
	char line[16] = "";
	int fd = open(SCOPE, O_RDONLY);

	if (fd < 0) {
		answer(name, errno);
		return;
	}
	if (read(fd, line, sizeof line - 1) < 0)
		answer(name, errno);
	else
		printf("%s %.*s\n", name, (int)strcspn(line, "\n"), line);
	close(fd);
}

/* The exit code of a child, which is an errno here; -1 if it was killed. */
static int wait_for(pid_t child)
{
	int state;

	if (waitpid(child, &state, 0) != child)
		return errno;
	return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static void try_traceme(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? errno : 0);
	answer("traceme", child < 0 ? errno : wait_for(child));
}

/* The ways into another process: as root, into one's own child. */
static void try_child(void)
{
	static char secret[] = "secret";
	char copy[sizeof secret];
	struct iovec local = { copy, sizeof copy };
	struct iovec remote = { secret, sizeof secret };
	pid_t child = fork();
	int error;
	int pidfd;

	if (child == 0)
		for (;;)
			pause();
	if (child < 0) {
		answer("attach", errno);
		return;
	}
	error = ptrace(PTRACE_ATTACH, child, NULL, NULL) ? errno : 0;
	if (!error) {
		waitpid(child, NULL, 0);
		ptrace(PTRACE_DETACH, child, NULL, NULL);
	}
	answer("attach", error);
	error = process_vm_readv(child, &local, 1, &remote, 1, 0) < 0 ? errno : 0;
	answer("process_vm_readv", error);
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	error = pidfd < 0 || syscall(SYS_pidfd_getfd, pidfd, STDOUT_FILENO, 0) < 0 ? errno : 0;
	answer("pidfd_getfd", error);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* strace must run a command to its end; this program itself is the one that is surely there. */
static void try_strace(void)
{
	char self[256] = "";
	pid_t child;
	int code;

	if (access(STRACE, X_OK) || readlink("/proc/self/exe", self, sizeof self - 1) < 0) {
		printf("strace absent\n");
		return;
	}
	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		if (null >= 0)
			dup2(null, STDERR_FILENO);
		execl(STRACE, "strace", "-o", "/dev/null", self, "nothing", (char *)NULL);
		_exit(127);
	}
	code = child < 0 ? -1 : wait_for(child);
	/* it is none for this root, or lacks a library here */
	printf("strace %s\n", code == 0 ? "ok" : code == 127 ? "absent" : "refused");
}

static void try_lowering(void)
{
	for (const char *value = "210"; *value; value++) {
		char name[] = "write-N";
		int fd = open(SCOPE, O_WRONLY);
		int error = 0;

		name[sizeof name - 2] = *value;
		if (fd < 0 || write(fd, value, 1) < 0)
			error = errno;
		answer(name, error);
		if (fd >= 0)
			close(fd);
	}
}

/* What noptrace left in the kernel log: "log PRIORITY MESSAGE". */
static void answer_log(void)
{
	char record[1024];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	ssize_t count;

	/* EPIPE: records were overwritten before they were read. EINVAL: one is too long for us,
	 * and so none of noptrace's. Either way the next read finds the next one. */
	while (fd >= 0 && ((count = read(fd, record, sizeof record - 1)) > 0 || errno == EPIPE ||
			   errno == EINVAL)) {
		const char *message;

		if (count <= 0)
			continue;
		record[count] = '\0';
		message = strchr(record, ';');
		if (message && strncmp(message + 1, "noptrace: ", 10) == 0)
			printf("log %lu %.*s\n", strtoul(record, NULL, 10) & 7,
			       (int)strcspn(message + 1, "\n"), message + 1);
	}
	if (fd >= 0)
		close(fd);
}

/* A real root that nobody has set up: the switch of roots may or may not have brought these. */
static void prepare_guest(void)
{
	int line;

	if (access("/proc/self", F_OK))
		mount("proc", "/proc", "proc", 0, NULL);
	if (access("/dev/kmsg", F_OK))
		mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	line = open(LINE, O_WRONLY | O_NOCTTY);
	if (line >= 0) {
		dup2(line, STDOUT_FILENO);
		close(line);
	}
}

int main(int argc, char **argv)
{
	bool guest = getpid() == 1;

	if (argc == 2 && strcmp(argv[1], "nothing") == 0)
		return 0;
	/* the kernel hands words of its command line to the first process */
	if (!guest && !(argc == 2 && strcmp(argv[1], "lower") == 0)) {
		(void)fputs("noptrace-probe: is for guests of noptrace-image(8): it lowers the "
			    "scope\n",
			    stderr);
		return 64;
	}
	if (guest)
		prepare_guest();
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	answer_scope("scope");
	try_traceme();
	try_child();
	try_strace();
	answer_log();
	try_lowering();
	answer_scope("scope-afterwards");
	printf("end\n");
	(void)fflush(stdout);
	if (guest) {
		(void)tcdrain(STDOUT_FILENO);
		reboot(RB_POWER_OFF);
	}
	return 0;
}
