/* SPDX-License-Identifier: MIT */
/*
 * noptrace: sets kernel.yama.ptrace_scope to 3, which the kernel never lets go before the next
 * boot.
 *
 * Runs in the initramfs before the root pivot (apply), in the real root from noptrace.service
 * (ensure), and from a shell or a monitoring system (lock, status). It writes SCOPE, a line to the
 * kernel log and, where it has locked, TRACE; it reads no configuration and allocates nothing.
 *
 * No call here is repeated on EINTR: the program installs no signal handler, so no signal can
 * interrupt a call and let the program live. An EINTR that comes all the same is an error like any
 * other, and every error ends in "lock" or in "not locked, exit 1".
 */
#define _FILE_OFFSET_BITS 64 /* with glibc too, a struct dirent is what getdents64 gives */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cmdline.h"

#ifdef __GLIBC__ /* has musl's call under this name only, and since 2.30 */
#include <sys/syscall.h>
#define getdents(fd, entries, size) syscall(SYS_getdents64, fd, entries, size)
#endif

#define CMDLINE "/proc/cmdline"
#define SCOPE "/proc/sys/kernel/yama/ptrace_scope"
#define SCOPE_NAME "kernel.yama.ptrace_scope"

/*
 * What a call that has locked leaves for those that come later. systemd-sysctl takes it for the
 * last word on SCOPE, over the lower values of distributions and administrators, which the kernel
 * would refuse; status and ensure learn from it whether the initramfs had locked. /run goes from
 * the initramfs to the real root and ends with the boot, as the lock does.
 */
#define TRACE_DIRECTORY "/run/sysctl.d"
#define TRACE_NAME "zz-noptrace.conf"
#define TRACE TRACE_DIRECTORY "/" TRACE_NAME
#define TRACE_LAST TRACE_DIRECTORY "/~noptrace.conf" /* behind an administrator's zzz.conf, too */
static const char TRACE_LATER[] = "# noptrace has locked.\n" SCOPE_NAME " = 3\n";
static const char TRACE_INITRAMFS[] =
    "# noptrace has locked, in the initramfs.\n" SCOPE_NAME " = 3\n";

/* The exit codes of all calls but status; USAGE is sysexits.h's EX_USAGE. */
enum { DONE = 0, FAILED = 1, USAGE = 64 };

/* The exit codes of status, which are those of the monitoring plugins. */
enum { OK = 0, WARNING = 1, CRITICAL = 2, UNKNOWN = 3 };

static const char HELP[] =
    "usage: noptrace apply|ensure|lock|status|--help|--version\n"
    "\n"
    "  apply   lock, unless the bare word 'maintenance' is on the kernel command line\n"
    "    exit 0: decision carried out, 1: could not lock\n"
    "  ensure  the same, in the real root: warn where the initramfs had not locked\n"
    "  lock    lock now, on a maintenance boot too\n"
    "    exit 0: locked, 1: could not lock\n"
    "  status\n"
    "    exit 0: OK, locked since the initramfs\n"
    "         1: WARNING, open on purpose, locked later, tracers left, or not sure\n"
    "         2: CRITICAL, open\n"
    "         3: UNKNOWN, no Yama or no /proc\n"
    "\n"
    "Any other call exits 64. See noptrace(8).\n";

static const char NAME_VERSION[] = "noptrace " VERSION "\n";

/* One line of output, or a path: all zero at first, so that a string ends where it ends. */
struct text {
	unsigned length;
	char bytes[508];
};

/*
 * Appends a format in which each '%' stands for the next string, up to its end or first newline.
 * What cannot be printed becomes '?', for a process may have chosen a name that steers a terminal.
 * A full text stays as it is: a line can be cut, and its newline or NUL always fits.
 */
static void append(struct text *text, const char *format, ...)
{
	const char *string = "";
	va_list strings;

	va_start(strings, format);
	for (;;) {
		const char **from = *string && *string != '\n' ? &string : &format;
		char byte = *(*from)++;

		if (!byte)
			break;
		if (byte == '%' && from == &format) {
			string = va_arg(strings, const char *);
			continue;
		}
		if (byte < ' ' || byte > '~')
			byte = '?';
		if (text->length < sizeof text->bytes - 1)
			text->bytes[text->length++] = byte;
	}
	va_end(strings);
}

/*
 * Writes a line from a byte on, and says whether that went well: one message is one write, so that
 * no other writer gets between.
 */
static bool write_line(int fd, struct text *text, size_t start)
{
	size_t length = text->length - start + 1;

	text->bytes[text->length] = '\n';
	return write(fd, text->bytes + start, length) >= 0;
}

/* Appends "PATH: ERRNO: what to do". NULL as the last: what to do if PATH is SCOPE. */
static void append_error(struct text *text, const char *path, int error, const char *remedy)
{
	static const struct {
		unsigned char error;
		char name[7];
		const char *remedy;
	} known[] = {
		{ ENOENT, "ENOENT",
		  "this kernel lacks Yama (use one with CONFIG_SECURITY_YAMA), or leaves it out "
		  "(add yama to lsm=)" },
		{ EACCES, "EACCES", "run this as root" },
		{ EPERM, "EPERM",
		  "needs CAP_SYS_PTRACE; run this on the host, not in a container" },
		{ EROFS, "EROFS", "read-only here; run this on the host" },
		{ EINVAL, "EINVAL", "3 was refused; this is not Yama's file" },
		{ 0, "errno ", "see errno(3)" },
	};
	const char digits[] = { (char)('0' + error / 100), (char)('0' + error / 10 % 10),
				(char)('0' + error % 10), '\0' };
	const char *number = digits;
	size_t i = 0;

	while (*number == '0')
		number++;
	while (known[i].error && known[i].error != error)
		i++;
	append(text, "%: %%: %", path, known[i].name, known[i].error ? "" : number,
	       remedy ? remedy : known[i].remedy);
}

/* openat(), since musl's open() takes a second system call for O_CLOEXEC. */
static int open_path(const char *path, int flags)
{
	return openat(AT_FDCWD, path, flags | O_CLOEXEC | O_NOCTTY, 0644);
}

/* The errors of a file that is not there, or whose process has ended. */
static bool is_gone(int error)
{
	return error == ENOENT || error == ESRCH;
}

/* The start of a file, as a string; empty if it cannot be read. */
struct start {
	char bytes[1024];
};

/*
 * Returns 0, or the errno that kept the file from being read. One that is not there, or whose
 * process has ended, is no error: it has nothing to say.
 */
static int read_start(struct start *start, const char *path)
{
	int fd = open_path(path, O_RDONLY);
	ssize_t count = fd < 0 ? fd : read(fd, start->bytes, sizeof start->bytes - 1);
	int error = count < 0 && !is_gone(errno) ? errno : 0;

	start->bytes[count < 0 ? 0 : count] = '\0';
	close(fd);
	return error;
}

/* What SCOPE says, and the first error on the way there: a later one is only its consequence. */
struct scope {
	char digit;   /* 0: not known */
	bool already; /* it was LOCKED before anything was written */
	int error;    /* errno, or 0 */
};
#define LOCKED '3'

/* A descriptor that one call opens once is left to exit(): closing it costs a system call. */
static void read_scope(struct scope *scope, int fd)
{
	char line[3];
	/* pread: after a write the file is at its end, which for a sysctl means empty. */
	ssize_t count = pread(fd, line, sizeof line, 0);

	if (count < 0 && !scope->error)
		scope->error = errno;
	if ((count == 1 || (count == 2 && line[1] == '\n')) && line[0] >= '0' && line[0] <= '9')
		scope->digit = line[0];
}

/* Opens SCOPE and takes what it says. Returns the descriptor, negative where there is an error. */
static int inspect_scope(struct scope *scope, int flags)
{
	int fd = open_path(SCOPE, flags);

	if (fd >= 0)
		read_scope(scope, fd);
	else if (!scope->error)
		scope->error = errno;
	return fd;
}

/*
 * Writes 3, and reads it back: what the file says afterwards decides, not what a call returned. An
 * empty write is no error and changes nothing; and a machine that is locked already is locked, also
 * where the file cannot be written.
 */
static struct scope set_scope(void)
{
	struct scope scope = { 0 };
	int fd = inspect_scope(&scope, O_RDWR);

	if (fd < 0)
		(void)inspect_scope(&scope, O_RDONLY);
	scope.already = scope.digit == LOCKED;
	if (fd >= 0 && !scope.already) {
		scope.digit = 0;
		if (write(fd, "3\n", 2) < 0)
			scope.error = errno;
		read_scope(&scope, fd);
	}
	return scope;
}

static void append_scope(struct text *text, const struct scope *scope)
{
	const char digit[] = { scope->digit, '\0' };

	if (scope->error == ENOENT && access("/proc/sys", F_OK))
		append_error(text, "/proc", ENOENT, "not mounted; mount it first");
	else if (scope->error)
		append_error(text, SCOPE, scope->error, NULL);
	else
		append(text, SCOPE_NAME " is %", scope->digit ? digit : "not a number");
}

/* Reads the whole command line. Returns 0, or the errno that kept it from being read. */
static int read_cmdline(struct cmdline *line)
{
	unsigned char bytes[4096];
	ssize_t count;
	int fd = open_path(CMDLINE, O_RDONLY);

	if (fd < 0)
		return errno;
	while ((count = read(fd, bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < count; i++)
			cmdline_feed(line, bytes[i]);
	cmdline_end(line);
	return count < 0 ? errno : 0;
}

/* Why a boot counts as a normal one where its operator may have meant otherwise. */
static void append_doubt(struct text *text, const struct cmdline *line, int error)
{
	if (error)
		append_error(text, "; " CMDLINE, error, "not read, so this is no maintenance boot");
	else if (line->assigned)
		append(text, "; maintenance= was not taken, only the bare word is");
}

/* How a line begins that log_line() takes: its priority as /dev/kmsg reads it, and our name. */
#define NOTICE "<5>noptrace: "
#define WARN "<4>noptrace: "
#define ERROR "<3>noptrace: "
enum { PRIORITY = 3 };

static bool has_terminal(void)
{
	return open_path("/dev/tty", O_WRONLY) >= 0;
}

/* What follows the first place where a name stands in a string; NULL if it stands nowhere. */
static const char *after(const char *string, const char *name)
{
	for (; *string; string++) {
		size_t i = 0;

		while (name[i] && string[i] == name[i])
			i++;
		if (!name[i])
			return string + i;
	}
	return NULL;
}

/*
 * Is stderr the journal's? Where systemd says that the journal reads a unit, it is if it is a
 * socket, which nobody can open. With O_RDWR a pipe does not wait for its other end.
 */
static bool is_journal(void)
{
	for (char **variable = environ; *variable; variable++)
		if (after(*variable, "JOURNAL_STREAM="))
			return open_path("/proc/self/fd/2", O_RDWR) < 0 && errno == ENXIO;
	return false;
}

/*
 * Leaves a line in the kernel log, and where a person reads it. The journal has what the kernel log
 * has: stderr, which is the journal's in a unit, gets the line only where the kernel log refused it
 * (printk.devkmsg=off), or for a person. An error goes to the console unless it is on a
 * terminal: the kernel shows none of its log there with loglevel=3.
 */
static void log_line(struct text *text, bool person)
{
	int fd = open_path("/dev/kmsg", O_WRONLY);
	bool logged = write_line(fd, text, 0);

	if ((person && !is_journal()) || !logged)
		(void)write_line(STDERR_FILENO, text, PRIORITY);
	if (text->bytes[1] == ERROR[1] && !has_terminal())
		(void)write_line(open_path("/dev/console", O_WRONLY), text, PRIORITY);
}

/*
 * A search for traced processes. Yama is asked when a tracer attaches and never again, so one that
 * came before the lock keeps its hold.
 */
struct search {
	int fd;	    /* each that is found is named there, in a line; -1: nowhere */
	bool found; /* one is traced */
	bool blind; /* one may be traced that could not be looked at */
};

/* Names on the search's fd the first that could not be looked at: later ones are not named. */
static void miss(struct search *search, const char *path, int error)
{
	struct text text = { 0 };

	if (search->blind)
		return;
	search->blind = true;
	append(&text, "noptrace: ");
	append_error(&text, path, error, "not read, so tracers may be left");
	(void)write_line(search->fd, &text, 0);
}

/*
 * The fields that matter are at the start of a /proc/PID/status, which is empty if the process
 * ended. Takes the number of a process or thread, up to a newline.
 */
static void read_status(struct search *search, struct start *status, const char *number)
{
	struct text path = { 0 };
	int error;

	append(&path, "/proc/%/status", number);
	error = read_start(status, path.bytes);
	if (error)
		miss(search, path.bytes, error);
}

static const char *name_of(const struct start *status)
{
	const char *name = after(status->bytes, "Name:\t");

	return name ? name : "?";
}

/*
 * Is this thread of this process traced? If so, says it. A tracer outside of our PID namespace
 * reads as PID 0, like none.
 */
static bool report_traced(struct search *search, const char *tid, const char *pid)
{
	struct start tracee;
	struct start tracer;
	struct text text = { 0 };
	const char *tracer_pid;

	read_status(search, &tracee, tid);
	/* The kernel escapes a newline in a process's name, so no name can forge this field. */
	tracer_pid = after(tracee.bytes, "\nTracerPid:\t");
	if (!tracer_pid || *tracer_pid == '0')
		return false;
	search->found = true;
	if (search->fd < 0)
		return true;
	read_status(search, &tracer, tracer_pid);
	append(&text, "noptrace: still traced: PID % (%) by PID % (%); end it or reboot", pid,
	       name_of(&tracee), tracer_pid, name_of(&tracer));
	(void)write_line(search->fd, &text, 0);
	return true;
}

/*
 * Looks for traced processes, in all of their threads.
 *
 * With a process, by its number: is that one? So it calls itself once, for the threads of each.
 */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void find_traced(struct search *search, const char *pid)
{
	_Alignas(struct dirent) char entries[2048];
	struct text path = { 0 };
	bool any = false;
	int directory;
	long size = -1;

	append(&path, pid ? "/proc/%/task" : "/proc", pid);
	directory = open_path(path.bytes, O_RDONLY | O_DIRECTORY);
	while (directory >= 0 &&
	       (size = getdents(directory, (void *)entries, sizeof entries)) > 0) {
		const struct dirent *entry;

		for (long at = 0; at < size; at += entry->d_reclen) {
			entry = (const void *)(entries + at);
			if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
				continue;
			if (!pid)
				find_traced(search, entry->d_name);
			else if (!any) /* a line for each process */
				any = report_traced(search, entry->d_name, pid);
		}
	}
	if (size < 0 && !is_gone(errno))
		miss(search, path.bytes, errno);
	/* with hidepid= it has no others than our own; the first process is always there */
	if (size == 0 && !pid && access("/proc/1", F_OK))
		miss(search, "/proc/1", errno);
	close(directory);
}

/* The calls that lock. */
enum call { APPLY, ENSURE, LOCK };

/*
 * Is this the initramfs? Its root is the kernel's own, unless dracut's squash module has made it
 * another; the file is what systemd goes by there. Only apply is asked: ensure and lock are for a
 * real root, which may be on a tmpfs as well.
 */
static bool in_initramfs(void)
{
	static const unsigned RAMFS = 0x858458f6;
	static const unsigned TMPFS = 0x01021994;
	struct statfs root;

	if (statfs("/", &root) == 0 &&
	    ((unsigned)root.f_type == RAMFS || (unsigned)root.f_type == TMPFS))
		return true;
	return access("/etc/initrd-release", F_OK) == 0;
}

/* Where its trace cannot be read, that is not known, and *error is why. */
static bool locked_in_initramfs(int *error)
{
	struct start trace;

	*error = read_start(&trace, TRACE);
	return strcmp(trace.bytes, TRACE_INITRAMFS) == 0;
}

/*
 * The first that locks says when; where there is no /run, or it is full, that is no failure, and a
 * later one may try again. With RLIMIT_FSIZE=0 this is the end, with an empty file: the log has the
 * line before.
 */
static void leave_trace(bool initramfs)
{
	ssize_t size = initramfs ? sizeof TRACE_INITRAMFS - 1 : sizeof TRACE_LATER - 1;
	int fd;

	/* everybody may read it; in an initramfs nobody has set a umask */
	if (!initramfs)
		(void)umask(022);
	(void)mkdir(TRACE_DIRECTORY, 0755);
	(void)symlink(TRACE_NAME, TRACE_LAST);
	fd = open_path(TRACE, O_WRONLY | O_CREAT | O_EXCL);
	if (write(fd, initramfs ? TRACE_INITRAMFS : TRACE_LATER, (size_t)size) < size && fd >= 0)
		(void)unlink(TRACE);
}

/* Locks, and logs how that went. */
static int lock_and_log(enum call call, const struct cmdline *line, int cmdline_error)
{
	struct scope scope = set_scope();
	bool locked = scope.digit == LOCKED;
	bool initramfs = locked && call == APPLY && in_initramfs();
	struct text text = { 0 };

	if (locked) {
		int error = 0;
		bool late = call == ENSURE && !(scope.already && locked_in_initramfs(&error));
		const char *stage = "";

		if (error)
			stage = ", but whether in the initramfs is not known";
		else if (late)
			stage = ", but not in the initramfs, which must be rebuilt";
		else if (call == ENSURE)
			stage = ", in the initramfs";
		append(&text, "%locked%%: " SCOPE_NAME " is 3 until reboot", late ? WARN : NOTICE,
		       scope.already ? " already" : "", stage);
	} else {
		append(&text, ERROR);
		append_scope(&text, &scope);
		append(&text, scope.error ? "; not locked" : " after 3 was written; not locked");
	}
	append_doubt(&text, line, cmdline_error);
	/* all is well there, and nobody at a terminal: that spares the system call */
	log_line(&text, call == LOCK || (!initramfs && has_terminal()));
	if (locked)
		leave_trace(initramfs);
	return locked ? DONE : FAILED;
}

/* The decision at boot: apply and ensure. */
static int decide(enum call call)
{
	struct cmdline line = { 0 };
	struct text text = { 0 };
	struct scope scope = { 0 };
	int error = read_cmdline(&line);

	/* Doubt locks: a maintenance boot is one whose command line was read to its end. */
	if (error || !line.maintenance)
		return lock_and_log(call, &line, error);

	(void)inspect_scope(&scope, O_RDONLY);
	append(&text, WARN "maintenance boot%; ",
	       scope.digit == LOCKED ? ", but locked already" : ": not locking");
	append_scope(&text, &scope);
	log_line(&text, has_terminal());
	return DONE;
}

static int lock(void)
{
	const struct cmdline unread = { 0 };
	struct search search = { .fd = STDERR_FILENO };
	int code = lock_and_log(LOCK, &unread, 0);

	find_traced(&search, NULL);
	return code;
}

static int status(void)
{
	struct cmdline line = { 0 };
	struct scope scope = { 0 };
	struct text text = { 0 };
	struct search search = { .fd = -1 };
	int error = read_cmdline(&line);
	int trace_error;
	bool initramfs = locked_in_initramfs(&trace_error);
	const char *answer;
	int code;

	(void)inspect_scope(&scope, O_RDONLY);
	if (scope.digit == LOCKED)
		find_traced(&search, NULL);
	if (!scope.digit) {
		code = UNKNOWN;
		answer = "UNKNOWN - ";
	} else if (search.found) {
		code = WARNING;
		answer = "WARNING - locked, but processes are still traced: ";
	} else if (search.blind) {
		code = WARNING;
		answer = "WARNING - locked, but could not look for tracers: ";
	} else if (scope.digit == LOCKED && trace_error) {
		code = WARNING;
		answer = "WARNING - locked, but since when is not known: ";
	} else if (scope.digit == LOCKED && !initramfs) {
		code = WARNING;
		answer = "WARNING - locked, but not since the initramfs: ";
	} else if (scope.digit == LOCKED) {
		code = OK;
		answer = "OK - locked since the initramfs: ";
	} else if (!error && line.maintenance) {
		code = WARNING;
		answer = "WARNING - open for maintenance, 'noptrace lock' ends it: ";
	} else {
		code = CRITICAL;
		answer = "CRITICAL - open, 'noptrace lock' locks: ";
	}
	append(&text, "NOPTRACE %", answer);
	append_scope(&text, &scope);
	if (code == CRITICAL)
		append_doubt(&text, &line, error);
	else if (scope.digit == LOCKED && trace_error)
		append_error(&text, "; " TRACE, trace_error, "not read");
	(void)write_line(STDOUT_FILENO, &text, 0);
	if (scope.digit == LOCKED) {
		search = (struct search) { .fd = STDOUT_FILENO };
		find_traced(&search, NULL);
	}
	return code;
}

static int print(int fd, const char *string, size_t size)
{
	return write(fd, string, size - 1) == (ssize_t)size - 1 ? DONE : FAILED;
}

/* Typing the bare name must never lock a machine: what is not a known call changes nothing. */
static int usage(const char *word)
{
	struct text text = { 0 };

	append(&text, "noptrace: %%", word ? "not a call, or a word too many: " : "no call given",
	       word ? word : "");
	(void)write_line(STDERR_FILENO, &text, 0);
	(void)print(STDERR_FILENO, HELP, sizeof HELP);
	return USAGE;
}

int main(int argc, char **argv)
{
	const char *call = argv[1];
	int unused;

	/* A closed stdin, stdout or stderr must not become the descriptor of a file of ours. */
	do
		unused = open_path("/", O_RDONLY);
	while (unused >= 0 && unused <= STDERR_FILENO);
	if (argc != 2)
		return usage(argc > 2 ? argv[2] : NULL);
	if (strcmp(call, "apply") == 0)
		return decide(APPLY);
	if (strcmp(call, "ensure") == 0)
		return decide(ENSURE);
	if (strcmp(call, "lock") == 0)
		return lock();
	if (strcmp(call, "status") == 0)
		return status();
	if (strcmp(call, "--help") == 0)
		return print(STDOUT_FILENO, HELP, sizeof HELP);
	if (strcmp(call, "--version") == 0)
		return print(STDOUT_FILENO, NAME_VERSION, sizeof NAME_VERSION);
	return usage(call);
}
