# SPDX-License-Identifier: MIT
# noptrace: `make help` is the index. Everything that is made goes to build/.

VERSION = 0.1.0

CC = musl-gcc
CFLAGS = -Oz
STRIP = strip
prefix = /usr
sbindir = $(prefix)/sbin
bindir = $(prefix)/bin
libexecdir = $(prefix)/libexec
mandir = $(prefix)/share/man
docdir = $(prefix)/share/doc/noptrace
sysctldir = $(prefix)/lib/sysctl.d
systemdunitdir = $(prefix)/lib/systemd/system
dracutdir = $(prefix)/lib/dracut
initramfsdir = $(prefix)/share/initramfs-tools
kernelinstalldir = $(prefix)/lib/kernel/install.d
sysconfdir = /etc

# The most that the program may weigh: a packager's CFLAGS may need more than ours.
MAX_BYTES = $(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),8192,12288)

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wcast-qual -Wstrict-prototypes -Wvla -Wformat=2
# What the program stands on, whatever CFLAGS says: static, not position independent, and without the
# start and end files of constructors and unwinding, which C has no use for: 0.6 kB. common-page-size
# keeps the linker from padding the file to a page, to spare a page of memory for some milliseconds.
NEEDED = -std=c11 $(WARNINGS) -DVERSION='"$(VERSION)"' -MMD -MP \
	-fno-pie -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
LINK = -static -no-pie -nostartfiles -Wl,-l:crt1.o -Wl,--gc-sections \
	-Wl,-z,noseparate-code -Wl,-z,norelro -Wl,-z,common-page-size=64 -Wl,-z,noexecstack -Wl,--build-id=none -s

SHELL_FILES = src/noptrace-image .ci/run modules.d/50noptrace/module-setup.sh \
	$(wildcard hooks/dracut/*.sh hooks/dracut/on-failure/*.sh hooks/initramfs-tools/* hooks/grub.d/* hooks/kernel-install/* tests/*.bash tests/*.bats) \
	tests/bake tests/debian-root tests/demo-menu tests/grub-disk tests/grub.d/probe tests/deps tests/fake-proc tests/run
IMAGE_LIB = $(wildcard src/image/*.bash)
MAN_PAGES = src/noptrace.8 src/noptrace-image.8

# For a Debian host; `deps` installs what is missing.
BUILD_DEPS = musl-tools
BOOT_DEPS = qemu-system-x86 e2fsprogs mmdebstrap strace cpio util-linux kmod tmux
TEST_DEPS = bats bats-support bats-assert dracut-core binutils perl jq libxml2-utils bsdutils \
	bzip2 lz4 lzop xz-utils zstd squashfs-tools gcc-aarch64-linux-gnu qemu-system-arm qemu-user-static qemu-utils \
	ovmf dosfstools mtools rpm
LINT_DEPS = gcc clang clang-tidy clang-format cppcheck shellcheck shfmt mandoc systemd

# A Debian of each release with the product in it, where images are baked and which is booted. What is
# made there by an earlier tree is replaced.
ROOTS = bookworm trixie

V = 0
Q = $(if $(filter 1,$(V)),,@)

.DELETE_ON_ERROR:
.PHONY: all check test demo demo-boot lint sanitize deps deps-demo deps-test install uninstall clean dist help $(ROOTS:%=root-%)

all: build/noptrace build/noptrace-probe build/noptrace-image $(IMAGE_LIB:src/image/%=build/%) ## build the programs

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

build/%.o: src/%.c Makefile
	@mkdir -p build
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(NEEDED) -c -o $@ $<

-include $(wildcard build/*.d)

# A program that is not what the image needs is not built at all.
build/noptrace: build/noptrace.o build/cmdline.o
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LINK)
	$(Q)$(STRIP) -R .comment $@
	$(Q)headers=$$(LC_ALL=C readelf -lW $@) && case $$headers in \
	*INTERP* | *DYNAMIC*) echo '$@: needs a loader; it must be static' >&2; exit 1 ;; \
	*RWE*) echo '$@: has a segment or a stack both writable and executable' >&2; exit 1 ;; \
	*GNU_STACK*) ;; \
	*) echo '$@: does not say that its stack is not executable' >&2; exit 1 ;; \
	esac
	$(Q)size=$$(stat -c %s $@) && { [ $$size -le $(MAX_BYTES) ] || \
		{ echo "$@: $$size bytes; may be $(MAX_BYTES) (MAX_BYTES=)" >&2; exit 1; }; }

build/noptrace-probe: build/noptrace-probe.o
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -no-pie -s -o $@ $^

# The same tool with the rest of it in this tree, for the demo and the tests.
build/noptrace-image: src/noptrace-image Makefile
	$(Q)sed 's,^lib=/usr/libexec/noptrace,lib=$(CURDIR)/build,' $< > $@
	$(Q)chmod 755 $@

build/%.bash: src/image/%.bash
	$(Q)cp $< $@

# Where prefix is not /usr, the files that name our programs are told: in an assignment. In an image
# noptrace is always /usr/sbin/noptrace.
RELOCATE = sed -e 's,=/usr/sbin/noptrace,=$(sbindir)/noptrace,' \
	-e 's,=/usr/libexec/noptrace,=$(libexecdir)/noptrace,'
moduledir = $(DESTDIR)$(dracutdir)/modules.d/50noptrace

install: all ## install, below DESTDIR; prefix=/usr
	install -D -m 755 build/noptrace $(DESTDIR)$(sbindir)/noptrace
	install -D -m 755 build/noptrace-probe $(DESTDIR)$(libexecdir)/noptrace/noptrace-probe
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(systemdunitdir) $(DESTDIR)$(sysctldir) \
		$(DESTDIR)$(mandir)/man8 $(DESTDIR)$(docdir) $(DESTDIR)$(initramfsdir)/hooks $(moduledir)/on-failure
	$(RELOCATE) src/noptrace-image > $(DESTDIR)$(bindir)/noptrace-image
	chmod 755 $(DESTDIR)$(bindir)/noptrace-image
	install -m 644 $(IMAGE_LIB) $(DESTDIR)$(libexecdir)/noptrace
	$(RELOCATE) hooks/systemd/noptrace.service > $(DESTDIR)$(systemdunitdir)/noptrace.service
	$(RELOCATE) modules.d/50noptrace/module-setup.sh > $(moduledir)/module-setup.sh
	chmod 755 $(moduledir)/module-setup.sh
	install -m 644 hooks/dracut/noptrace.sh hooks/dracut/noptrace-initramfs.service $(moduledir)
	install -m 644 hooks/dracut/on-failure/* $(moduledir)/on-failure
	$(RELOCATE) hooks/initramfs-tools/hook > $(DESTDIR)$(initramfsdir)/hooks/noptrace
	chmod 755 $(DESTDIR)$(initramfsdir)/hooks/noptrace
	install -D -m 755 hooks/initramfs-tools/init-top $(DESTDIR)$(initramfsdir)/scripts/init-top/00-noptrace
	install -m 644 hooks/sysctl.d/zz-noptrace.conf $(DESTDIR)$(sysctldir)
	install -d $(DESTDIR)$(sysconfdir)/grub.d $(DESTDIR)$(sysconfdir)/default/grub.d $(DESTDIR)$(kernelinstalldir)
	$(RELOCATE) hooks/kernel-install/95-noptrace.install > $(DESTDIR)$(kernelinstalldir)/95-noptrace.install
	chmod 755 $(DESTDIR)$(kernelinstalldir)/95-noptrace.install
	$(RELOCATE) hooks/grub.d/45_noptrace > $(DESTDIR)$(sysconfdir)/grub.d/45_noptrace
	chmod 755 $(DESTDIR)$(sysconfdir)/grub.d/45_noptrace
	[ -e $(DESTDIR)$(sysconfdir)/default/grub.d/noptrace.cfg ] || \
		install -m 644 hooks/grub.d/noptrace.cfg $(DESTDIR)$(sysconfdir)/default/grub.d
	install -m 644 $(MAN_PAGES) $(DESTDIR)$(mandir)/man8
	install -m 644 README.md LICENSE hooks/dracut/noptrace.conf $(DESTDIR)$(docdir)

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(sbindir)/noptrace $(DESTDIR)$(bindir)/noptrace-image \
		$(addprefix $(DESTDIR)$(libexecdir)/noptrace/,noptrace-probe $(notdir $(IMAGE_LIB))) \
		$(DESTDIR)$(initramfsdir)/hooks/noptrace $(DESTDIR)$(initramfsdir)/scripts/init-top/00-noptrace \
		$(DESTDIR)$(systemdunitdir)/noptrace.service $(DESTDIR)$(sysctldir)/zz-noptrace.conf \
		$(DESTDIR)$(kernelinstalldir)/95-noptrace.install \
		$(DESTDIR)$(sysconfdir)/grub.d/45_noptrace $(DESTDIR)$(sysconfdir)/default/grub.d/noptrace.cfg \
		$(addprefix $(DESTDIR)$(mandir)/man8/,$(notdir $(MAN_PAGES))) \
		$(addprefix $(DESTDIR)$(docdir)/,README.md LICENSE noptrace.conf) \
		$(addprefix $(moduledir)/,module-setup.sh noptrace.sh noptrace-initramfs.service) \
		$(addprefix $(moduledir)/on-failure/,$(notdir $(wildcard hooks/dracut/on-failure/*)))
	-rmdir --ignore-fail-on-non-empty $(moduledir)/on-failure $(moduledir) \
		$(DESTDIR)$(libexecdir)/noptrace $(DESTDIR)$(docdir)

deps: deps-test ## install the Debian packages that the other targets need, or name them

deps-demo:
	@tests/deps $(BUILD_DEPS) $(BOOT_DEPS)

deps-test:
	@tests/deps $(BUILD_DEPS) $(BOOT_DEPS) $(TEST_DEPS) $(LINT_DEPS)

build/%/root: tests/debian-root
	tests/debian-root $* $@
	@touch $@

$(ROOTS:%=root-%): root-%: build/%/root all
	$(Q)$(MAKE) -s install DESTDIR=build/$*/root > /dev/null

# With the packages there: apt is asked before make looks for its tools.
demo: deps-demo ## boot a real dracut image both ways, then from GRUB's menu, and show what the real root finds
	@$(MAKE) -s demo-boot

demo-boot: root-bookworm
	@mkdir -p build/tmp
	@echo 'demo: baking an initramfs image with dracut'
	$(Q)tests/bake build/bookworm/root build/demo.img 'add_dracutmodules+=" noptrace "' > build/demo.log 2>&1 || \
		{ cat build/demo.log; exit 1; }
	@echo 'demo: booting it twice, normally and for maintenance, in an emulated machine: a minute or less'
	$(Q)TMPDIR=build/tmp build/noptrace-image boot --kernel build/bookworm/root/boot/vmlinuz-* build/demo.img
	@echo 'demo: making a disk of a Debian with GRUB, whose menu grub-mkconfig writes in an emulated machine: half a minute'
	$(Q)tests/grub-disk build/bookworm/root build/demo.img build/demo.disk > build/demo.log 2>&1 || \
		{ cat build/demo.log; exit 1; }
	$(Q)tests/demo-menu build/demo.disk

test: deps-test ## run everything: lint, the program's tests, every boot
	@$(MAKE) -s lint sanitize
	@$(MAKE) -s $(ROOTS:%=root-%) build/bookworm-arm64/root
	@tests/run

check: all ## run the tests that boot nothing
	@tests/run tests/program.bats tests/install.bats

# musl's headers for tools that are not musl-gcc.
MUSL_HEADERS = --target=x86_64-linux-musl -nostdinc -isystem /usr/include/x86_64-linux-musl \
	-isystem $(shell gcc -print-file-name=include)
C_FILES = $(wildcard src/*.c)

# The command line's descriptor is left to exit() on purpose: closing it costs a system call in early boot.
# cppcheck's varFuncNullUB is about a NULL of type int, which musl's is not.
lint: ## run the compilers' and linters' checks, warnings as errors
	@mkdir -p build
	$(Q)for file in $(C_FILES); do \
		$(CC) -O2 -fanalyzer -Wno-analyzer-fd-leak -Werror $(filter-out -MMD -MP,$(NEEDED)) -c -o build/lint.o $$file && \
		clang $(MUSL_HEADERS) -O2 -Werror \
			$(filter-out -MMD -MP,$(NEEDED)) -c -o build/lint.o $$file || exit 1; \
	done
	$(Q)clang-format --dry-run --Werror src/*.[ch]
	$(Q)clang-tidy --quiet $(C_FILES) -- $(MUSL_HEADERS) $(filter-out -MMD -MP,$(NEEDED)) 2>/dev/null
	$(Q)cppcheck --quiet --error-exitcode=1 --enable=warning,style,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=varFuncNullUB --suppress=normalCheckLevelMaxBranches --std=c11 '-DVERSION="$(VERSION)"' $(C_FILES)
	$(Q)shellcheck -x $(SHELL_FILES)
	$(Q)shellcheck -x -a src/noptrace-image
	$(Q)shfmt -i 4 -ci -bn -sr -s -d $(SHELL_FILES) $(IMAGE_LIB)
	$(Q)mandoc -T lint -W warning $(MAN_PAGES)

# The program that stops at undefined behaviour. ASan is not for it: it needs the /proc that the tests hide.
build/noptrace-sanitized: src/noptrace.c src/cmdline.c src/cmdline.h Makefile
	@mkdir -p build/sanitized
	$(Q)for file in noptrace cmdline; do \
		$(CC) -O1 $(filter-out -MMD -MP,$(NEEDED)) -fsanitize=undefined -fsanitize-undefined-trap-on-error \
			-c -o build/sanitized/$$file.o src/$$file.c || exit 1; \
	done
	$(Q)$(CC) -static -no-pie -o $@ build/sanitized/noptrace.o build/sanitized/cmdline.o

sanitize: all build/noptrace-sanitized ## run the program's tests on a build that stops at undefined behaviour
	@PROGRAM=$(CURDIR)/build/noptrace-sanitized tests/run tests/program.bats

clean: ## remove build/
	rm -rf build

dist: ## make build/noptrace-VERSION.tar.gz
	@mkdir -p build
	git archive --prefix=noptrace-$(VERSION)/ -o build/noptrace-$(VERSION).tar.gz HEAD
