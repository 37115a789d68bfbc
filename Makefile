# SPDX-License-Identifier: MIT
# noptrace: `make help` is the index. Everything that is made goes to build/.

VERSION = 0.3.0

# Another architecture, by Debian's name of it: `make ARCH=arm64`. The programs for an image, and no others, are built
# in build/ARCH, with Debian's cross compiler and its musl.
ARCH =
ARCHES = arm64 armhf riscv64 ppc64el s390x
# the compiler's name of it, qemu-user's, and the Debian release that has its musl; Debian 12 has no riscv64
ARCH_arm64 = aarch64-linux-gnu aarch64 bookworm
ARCH_armhf = arm-linux-gnueabihf arm bookworm
ARCH_riscv64 = riscv64-linux-gnu riscv64 testing
ARCH_ppc64el = powerpc64le-linux-gnu ppc64le bookworm
ARCH_s390x = s390x-linux-gnu s390x bookworm

ifdef ARCH
ifeq ($(filter $(ARCH),$(ARCHES)),)
$(error ARCH=$(ARCH): must be one of $(ARCHES); without ARCH= it is this machine)
endif
# Programs that this machine cannot run, in the place of its own, would end every run of its generators.
ifneq ($(filter install,$(MAKECMDGOALS)),)
ifeq ($(DESTDIR)$(filter $(word 2,$(ARCH_$(ARCH)))%,$(shell uname -m)),)
$(error install ARCH=$(ARCH): this machine is $(shell uname -m); name the root that it is for with DESTDIR=)
endif
endif
B = build/$(ARCH)
SPECS = $(B)/specs
CC = $(word 1,$(ARCH_$(ARCH)))-gcc -specs $(CURDIR)/$(SPECS)
else
B = build
CC = musl-gcc
endif
# -flto: on arm64 0.3 kB less
CFLAGS = -Oz -flto
prefix = /usr
sbindir = $(prefix)/sbin
bindir = $(prefix)/bin
libexecdir = $(prefix)/libexec
mandir = $(prefix)/share/man
docdir = $(prefix)/share/doc/noptrace
systemdunitdir = $(prefix)/lib/systemd/system
dracutdir = $(prefix)/lib/dracut
initramfsdir = $(prefix)/share/initramfs-tools
completiondir = $(prefix)/share/bash-completion/completions
kernelinstalldir = $(prefix)/lib/kernel/install.d
sysconfdir = /etc

# They stand in commands without quotes, rm -rf among them: of a name with a blank in it the shell would make two.
FOLDERS = DESTDIR prefix sbindir bindir libexecdir mandir docdir systemdunitdir dracutdir initramfsdir completiondir kernelinstalldir sysconfdir
COMMA = ,
SHELLS = ' " ` \ $$ & | ; < > ( ) { } [ ] * ? \#
$(foreach name,CURDIR $(FOLDERS),$(if $(filter-out 1,$(words x$($(name))x))$(strip $(foreach odd,$(SHELLS),$(findstring $(odd),$($(name))))), \
	$(error $(name)=$($(name)): may have no blank and none of $(SHELLS) in it)))
# And all but DESTDIR are told to scripts and units, by sed: there a comma ends a command, and % is a unit's specifier.
$(foreach name,$(filter-out DESTDIR,$(FOLDERS)),$(if $(findstring $(COMMA),$($(name)))$(findstring %,$($(name)))$(if $($(name)),$(filter-out /%,$($(name)))), \
	$(error $(name)=$($(name)): must begin with /, and may have neither $(COMMA) nor % in it)))

# The most that the program may weigh with musl, three pages: a packager's CFLAGS may need more than ours, and so do
# ppc64el and s390x, whose code is longest.
MAX_BYTES = $(if $(filter ppc64el s390x,$(ARCH)),16384,12288)

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wcast-qual -Wstrict-prototypes -Wvla -Wformat=2
# musl, or the glibc of a distribution that has no musl: CC=gcc. glibc's 0.7 MB are what they are.
LIBC := $(if $(ARCH),musl,$(if $(shell $(CC) $(CPPFLAGS) -E -dM -include features.h -x c /dev/null 2> /dev/null | grep __GLIBC__),glibc,musl))
# What the program stands on, whatever CFLAGS says: static, not position independent, and with musl without
# the start and end files of constructors and unwinding, which C has no use for: 0.6 kB. common-page-size
# keeps the linker from padding the file to a page, to spare a page of memory for some milliseconds.
NEEDED = -std=c11 $(WARNINGS) -D_GNU_SOURCE -DVERSION='"$(VERSION)"' \
	-fno-pie -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
START_FILES_musl = -nostartfiles -Wl,-l:crt1.o -Wl,-T,src/noptrace.ld
LINK = -static -no-pie $(START_FILES_$(LIBC)) -Wl,--gc-sections \
	-Wl,-z,noseparate-code -Wl,-z,norelro -Wl,-z,common-page-size=64 -Wl,-z,noexecstack -Wl,--build-id=none -s

# What reads images is for the machine that looks at them, and stands on its libraries.
HOSTCC = gcc
HOST_CFLAGS = -O2 -g
HOST_NEEDED = -std=c11 $(WARNINGS) -D_GNU_SOURCE -fstack-protector-strong -fpie
# but where a sanitizer looks at the same
HARDEN = -D_FORTIFY_SOURCE=2
HOST_LIBS = -Wl,--as-needed -lz -lbz2 -llzma -lzstd -llz4 -llzo2
# noptrace-judge is static, with the program's compiler; the rest of the folder is for the host.
JUDGE_C = $(patsubst %,src/image/%.c,judge elf kconfig program policy configs text words)
IMAGE_C = $(filter-out src/image/judge.c,$(wildcard src/image/*.c)) src/cmdline.c
# those with a main(), each a program noptrace-NAME
ASKED = cmdline entry grub uki
IMAGE_MAINS = $(patsubst %,src/image/%.c,check report $(ASKED:%=ask_%))
IMAGE_READER = $(filter-out $(IMAGE_MAINS),$(IMAGE_C))
# installed in libexec, for noptrace-image and the menus of boot loaders
IMAGE_PROGRAMS = noptrace-check noptrace-report $(ASKED:%=noptrace-%)

SHELL_FILES = src/noptrace-image .ci/run $(wildcard src/completion/*) \
	$(wildcard modules.d/50noptrace/*.sh modules.d/50noptrace/on-failure/*.sh) \
	$(wildcard hooks/initramfs-tools/* hooks/grub.d/* hooks/kernel-install/* hooks/*.sh tests/*.bash tests/*.bats) \
	$(wildcard packaging/*.sh) packaging/changelog packaging/ci/prove \
	$(shell grep -slE '^\#!/bin/(ba)?sh' tests/* tests/grub.d/* tests/recipes/*/*)
IMAGE_LIB = $(wildcard src/image/*.bash)
INSTEAD = $(wildcard src/image/instead/*)
MAN_PAGES = $(wildcard src/*.[1-9])
# below man/: man8/noptrace.8
INSTALLED_PAGES = $(foreach page,$(notdir $(MAN_PAGES)),man$(subst .,,$(suffix $(page)))/$(page))

# For a Debian host; `deps` installs what is missing.
BUILD_DEPS = musl-tools gcc libc6-dev zlib1g-dev libbz2-dev liblzma-dev libzstd-dev liblz4-dev liblzo2-dev
BOOT_DEPS = qemu-system-x86 e2fsprogs mmdebstrap strace cpio util-linux kmod tmux
# For ARCH=, or for each of them.
CROSS_DEPS = $(foreach arch,$(or $(ARCH),$(ARCHES)),gcc-$(word 1,$(ARCH_$(arch)))) mmdebstrap
# For the packages, and what looks at them.
DEB_DEPS = build-essential debhelper dpkg-dev lintian
RPM_DEPS = rpm rpmlint
# For noptrace-image in the CI of others.
CI_DEPS = qemu-system-x86 e2fsprogs strace squashfs-tools
# Not qemu-user-static, which on Debian 13 tells the kernel to run foreign programs with it, for the whole machine.
QEMU_RISCV = $(if $(shell grep -s '^VERSION_ID="12"' /etc/os-release),qemu-system-misc,qemu-system-riscv)
# For the tests that boot nothing.
CHECK_DEPS = git bats bats-support bats-assert parallel dracut-core binutils mandoc perl strace util-linux bsdutils $(if $(ARCH),$(CROSS_DEPS) qemu-user)
TEST_DEPS = $(CHECK_DEPS) clang libclang-rt-dev bzip2 lz4 lzop xz-utils zstd jq libxml2-utils \
	gdb squashfs-tools erofs-utils qemu-system-arm $(QEMU_RISCV) opensbi qemu-user proot qemu-utils \
	ovmf dosfstools mtools yq $(CROSS_DEPS) $(DEB_DEPS) $(RPM_DEPS)
BENCH_DEPS = hyperfine valgrind gnuplot-nox procps time dracut-core jq perl bsdextrautils bzip2 lz4 xz-utils zstd
# What builds a kernel.
KERNEL_DEPS = linux-source bc bison flex libelf-dev xz-utils
PROVE_DEPS = frama-c-base why3 z3 cvc4
LINT_DEPS = gcc clang clang-tidy clang-format cppcheck shellcheck shfmt mandoc systemd

# A Debian of each release with the product in it, where images are baked and which is booted. What is
# made there by an earlier tree is replaced.
ROOTS = bookworm trixie
FOREIGN_ROOTS = bookworm-arm64 testing-riscv64
# and those of the matrix alone
MATRIX_ROOTS = bullseye testing

# V=1 shows the commands.
V = 0
Q = $(if $(filter 1,$(V)),,@)

.DELETE_ON_ERROR:
# How long `fuzz` goes on, in seconds.
FUZZ_SECONDS = 60
# How many lines `kernel-lines` tries: some three seconds each.
LINES = 300
# How many boots `soak` makes: some two seconds each.
SOAK = 200
# How many changes `mutants` tries, spread over all places of the program: some five minutes. Or those of src/noptrace.c, of
# src/cmdline.c:111, or '20 hooks/knobs.sh', a file of shell, which takes longer; all of them if it is empty: some hours.
MUTANTS = 100 src/noptrace.c src/cmdline.c

.PHONY: all check emulate test matrix fleet demo demo-boot bench bench-run prove lint sanitize mutants coverage valgrind fuzz fuzz-lines kernel-lines soak deps deps-build deps-cross deps-demo deps-check deps-test deps-kernel deps-prove deps-deb deps-rpm deps-ci deps-bench install install-tools uninstall clean dist deb rpm recipes dracut-suite bootconfig help $(patsubst %,root-%,$(ROOTS) $(MATRIX_ROOTS) $(FOREIGN_ROOTS) recipes)

# Those for an image, and those for the machine that looks at it.
PROGRAMS = noptrace noptrace-judge noptrace-probe
all: $(PROGRAMS:%=$(B)/%) $(if $(ARCH),,build/noptrace-image $(IMAGE_PROGRAMS:%=build/%) $(IMAGE_LIB:src/image/%=build/%) $(INSTEAD:src/image/%=build/%)) ## build the programs

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

# musl-dev of ARCH, and its compiler's specs as they are there.
$(B)/musl: tests/debian-root
	$(Q)tests/debian-root $(word 3,$(ARCH_$(ARCH)))-$(ARCH) $@ musl-dev
	@touch $@

$(B)/specs: $(B)/musl
	$(Q)sed 's,/usr/\(lib\|include\)/,$(CURDIR)/$<&,g' $</usr/lib/*/musl-gcc.specs > $@

$(B)/%.o: src/%.c Makefile $(SPECS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(NEEDED) -MMD -MP -c -o $@ $<

-include $(wildcard $(B)/*.d $(B)/image/*.d)

# A program that is not what the image needs is not built at all.
$(B)/noptrace: $(B)/noptrace.o $(B)/cmdline.o src/noptrace.ld
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LINK)
	$(Q)headers=$$(LC_ALL=C readelf -lW $@) && case $$headers in \
	*INTERP* | *DYNAMIC*) echo '$@: needs a loader; it must be static' >&2; exit 1 ;; \
	*RWE*) echo '$@: has a segment or a stack both writable and executable' >&2; exit 1 ;; \
	*GNU_STACK*) ;; \
	*) echo '$@: does not say that its stack is not executable' >&2; exit 1 ;; \
	esac
	$(Q)size=$$(stat -c %s $@) && { [ $(LIBC) != musl ] || [ $$size -le $(MAX_BYTES) ] || \
		{ echo "$@: $$size bytes; may be $(MAX_BYTES) (MAX_BYTES=)" >&2; exit 1; }; }

$(B)/noptrace-judge: $(JUDGE_C:src/%.c=$(B)/%.o) $(B)/cmdline.o
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -no-pie -s -o $@ $^

$(B)/noptrace-probe: $(B)/noptrace-probe.o
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -no-pie -s -o $@ $^

build/host/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(CPPFLAGS) $(HOST_CFLAGS) $(HOST_NEEDED) $(HARDEN) -MMD -MP -c -o $@ $<

-include $(wildcard build/host/*.d build/host/image/*.d)

HOST_OBJECTS = $(IMAGE_READER:src/%.c=build/host/%.o)
HOST_LINK = $(HOSTCC) $(HOST_CFLAGS) $(LDFLAGS) -pie -Wl,-z,relro,-z,now

# What noptrace-image stands on. Of the reader each takes what it needs.
build/host/reader.a: $(HOST_OBJECTS)
	$(Q)rm -f $@ && ar rcs $@ $^

build/noptrace-check build/noptrace-report: build/noptrace-%: build/host/image/%.o build/host/reader.a
	$(Q)$(HOST_LINK) -o $@ $^ $(HOST_LIBS)

# What scripts ask.
$(ASKED:%=build/noptrace-%): build/noptrace-%: build/host/image/ask_%.o build/host/reader.a
	$(Q)$(HOST_LINK) -o $@ $^ $(HOST_LIBS)

# What is read of an image, for the tests, which compare it with what a kernel makes of that.
build/noptrace-list: tests/noptrace-list.c build/host/reader.a
	$(Q)$(HOST_LINK) $(HOST_NEEDED) $(HARDEN) -o $@ $^ $(HOST_LIBS)

# The first process of images that ask a kernel: what is in its root, and what it reads in command lines.
GUESTS = build/guest-list build/guest-lines
$(GUESTS): build/guest-%: tests/guest-%.c Makefile
	@mkdir -p build
	$(Q)$(CC) -Os -std=c11 $(WARNINGS) -D_GNU_SOURCE -static -s -o $@ $<

# What the tests preload into these programs.
build/failing.so: tests/failing.c Makefile
	@mkdir -p build
	$(Q)$(HOSTCC) -O1 -std=c11 $(WARNINGS) -D_GNU_SOURCE -fPIC -fno-builtin -shared -o $@ $<

# The same tool with the rest of it in this tree, for the demo and the tests.
build/noptrace-image: src/noptrace-image Makefile
	@mkdir -p build
	$(Q)sed -e 's,^lib=/usr/libexec/noptrace,lib=$$(cd "$${0%/*}" \&\& pwd),' -e 's,^program=.*,program=$$lib/noptrace,' \
		-e 's,^module=.*,module=$${lib%/*}/modules.d/50noptrace,' \
		-e 's,^init_top=.*,init_top=$${lib%/*}/hooks/initramfs-tools/init-top,' \
		-e 's,^units=.*,units=$${lib%/*}/hooks/systemd,' $< > $@
	$(Q)chmod 755 $@

build/%.bash: src/image/%.bash
	@mkdir -p build
	$(Q)cp $< $@

build/instead/%: src/image/instead/%
	@mkdir -p $(@D)
	$(Q)cp $< $@

# Where prefix is not /usr, the files that name our programs are told: in an assignment. In an image
# noptrace is always /usr/sbin/noptrace.
RELOCATE = sed -e 's,=/usr/sbin/noptrace,=$(sbindir)/noptrace,' \
	-e 's,=/usr/libexec/noptrace,=$(libexecdir)/noptrace,' \
	-e 's,=/usr/lib/dracut/modules,=$(dracutdir)/modules,' \
	-e 's,=/usr/lib/systemd/system,=$(systemdunitdir),' -e 's,=/usr/share/initramfs-tools,=$(initramfsdir),'
moduledir = $(DESTDIR)$(dracutdir)/modules.d/50noptrace
dropindir = $(DESTDIR)$(systemdunitdir)/noptrace.service.d
# $(call relocated,FROM,TO,MODE): TO may be run at any time, and is never there in part; nothing runs a .noptrace.
relocated = { $(RELOCATE) $(1) > $(dir $(2)).noptrace && chmod $(3) $(dir $(2)).noptrace && mv -f $(dir $(2)).noptrace $(2); } \
	|| { rm -f $(dir $(2)).noptrace; exit 1; }

# What 0.1 had installed and this version does not: a sysctl.d file that lowered scopes, and a sample that did not
# look whether the module is there. Files of the module are removed behind its new ones: a kernel may be installed meanwhile.
FORMER = $(DESTDIR)$(sysconfdir)/grub.d/45_noptrace $(DESTDIR)$(prefix)/lib/sysctl.d/zz-noptrace.conf $(DESTDIR)$(docdir)/noptrace.conf

# With ARCH= this is for a root of that architecture: what goes into its images, and nothing that runs beside them.
install: all $(if $(ARCH),,install-tools) ## install, below DESTDIR; prefix=/usr
	rm -rf $(FORMER)
	install -D -m 755 $(B)/noptrace $(DESTDIR)$(sbindir)/noptrace
	install -d $(DESTDIR)$(libexecdir)/noptrace $(dropindir) $(DESTDIR)$(docdir) \
		$(DESTDIR)$(initramfsdir)/hooks $(moduledir)/on-failure
	install -m 755 $(B)/noptrace-judge $(B)/noptrace-probe $(DESTDIR)$(libexecdir)/noptrace
	$(call relocated,hooks/systemd/noptrace.service,$(DESTDIR)$(systemdunitdir)/noptrace.service,644)
	install -m 644 modules.d/50noptrace/before.conf $(dropindir)
	install -m 644 $(filter-out %/module-setup.sh %/on-failure,$(wildcard modules.d/50noptrace/*)) $(moduledir)
	install -m 644 modules.d/50noptrace/on-failure/* $(moduledir)/on-failure
	$(call relocated,modules.d/50noptrace/module-setup.sh,$(moduledir)/module-setup.sh,755)
	chmod 755 $(moduledir)/*.sh $(moduledir)/on-failure/*.sh
	@cd $(moduledir) && find . -type f | while read -r file; do \
		[ -e "$(CURDIR)/modules.d/50noptrace/$$file" ] || rm "$$file" || exit 1; done
	$(call relocated,hooks/initramfs-tools/hook,$(DESTDIR)$(initramfsdir)/hooks/noptrace,755)
	install -D -m 755 hooks/initramfs-tools/init-top $(DESTDIR)$(initramfsdir)/scripts/init-top/00-noptrace
	for page in $(INSTALLED_PAGES); do install -D -m 644 src/$${page##*/} $(DESTDIR)$(mandir)/$$page || exit 1; done
	install -D -m 644 src/completion/noptrace $(DESTDIR)$(completiondir)/noptrace
	install -m 644 README.md SECURITY.md LICENSE $(DESTDIR)$(docdir)

# noptrace-image, and the menus of boot loaders.
install-tools: all
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libexecdir)/noptrace/instead $(DESTDIR)$(completiondir)
	install -m 755 $(IMAGE_PROGRAMS:%=build/%) $(DESTDIR)$(libexecdir)/noptrace
	$(call relocated,src/noptrace-image,$(DESTDIR)$(bindir)/noptrace-image,755)
	install -m 644 $(IMAGE_LIB) $(DESTDIR)$(libexecdir)/noptrace
	install -m 644 $(INSTEAD) $(DESTDIR)$(libexecdir)/noptrace/instead
	install -m 644 hooks/knobs.sh $(DESTDIR)$(libexecdir)/noptrace
	install -d $(DESTDIR)$(sysconfdir)/grub.d $(DESTDIR)$(sysconfdir)/default/grub.d $(DESTDIR)$(kernelinstalldir)
	$(call relocated,hooks/kernel-install/95-noptrace.install,$(DESTDIR)$(kernelinstalldir)/95-noptrace.install,755)
	for early in 00 20 90; do ln -sf 95-noptrace.install $(DESTDIR)$(kernelinstalldir)/$$early-noptrace.install || exit 1; done
	install -m 755 hooks/grub.d/000_noptrace $(DESTDIR)$(sysconfdir)/grub.d
	$(call relocated,hooks/grub.d/99_noptrace,$(DESTDIR)$(sysconfdir)/grub.d/99_noptrace,755)
	[ -e $(DESTDIR)$(sysconfdir)/default/grub.d/noptrace.cfg ] || \
		install -m 644 hooks/grub.d/noptrace.cfg $(DESTDIR)$(sysconfdir)/default/grub.d
	$(call relocated,src/completion/noptrace-image,$(DESTDIR)$(completiondir)/noptrace-image,644)

uninstall: ## remove what install put there, and on a running system the maintenance entries beside its kernels
	$(if $(DESTDIR),,[ ! -x $(kernelinstalldir)/95-noptrace.install ] || $(kernelinstalldir)/95-noptrace.install clean)
	rm -f $(DESTDIR)$(sbindir)/noptrace $(DESTDIR)$(bindir)/noptrace-image \
		$(addprefix $(DESTDIR)$(libexecdir)/noptrace/,noptrace-judge noptrace-probe knobs.sh $(IMAGE_PROGRAMS) $(notdir $(IMAGE_LIB))) \
		$(DESTDIR)$(initramfsdir)/hooks/noptrace $(DESTDIR)$(initramfsdir)/scripts/init-top/00-noptrace \
		$(DESTDIR)$(systemdunitdir)/noptrace.service $(dropindir)/before.conf \
		$(patsubst %,$(DESTDIR)$(kernelinstalldir)/%-noptrace.install,00 20 90 95) \
		$(addprefix $(DESTDIR)$(sysconfdir)/grub.d/,000_noptrace 99_noptrace) \
		$(addprefix $(DESTDIR)$(mandir)/,$(INSTALLED_PAGES)) \
		$(addprefix $(DESTDIR)$(completiondir)/,noptrace noptrace-image) \
		$(addprefix $(DESTDIR)$(docdir)/,README.md SECURITY.md LICENSE)
	rm -rf $(FORMER) $(moduledir) $(DESTDIR)$(libexecdir)/noptrace/instead
	-rmdir --ignore-fail-on-non-empty $(dropindir) $(DESTDIR)$(libexecdir)/noptrace $(DESTDIR)$(docdir)
	@file=$(DESTDIR)$(sysconfdir)/default/grub.d/noptrace.cfg; \
	if [ -e "$$file" ] && [ "$$(cat "$$file")" != "$$(cat hooks/grub.d/noptrace.cfg)" ]; then \
		echo "$$file is not as it was installed: it stays; remove it unless packages of noptrace are to read it"; \
	else \
		rm -f "$$file"; \
	fi
	@for file in $(addprefix $(DESTDIR)$(sysconfdir)/,dracut.conf dracut.conf.d/*.conf initramfs-tools/noptrace.conf); do \
		! grep -qs '^[^#]*noptrace' "$$file" || echo "$$file still names noptrace: take that out, and build the images again"; \
	done
	@for file in $(addprefix $(DESTDIR),$(dracutdir)/dracut.conf.d/*noptrace*.conf $(initramfsdir)/noptrace.conf $(addsuffix /sysinit.target.wants/noptrace.service,$(systemdunitdir) $(sysconfdir)/systemd/system)); do \
		[ ! -e "$$file" ] && [ ! -L "$$file" ] || echo "$$file still opts in: remove the package that has it, or the file, and build the images again"; \
	done

deps: $(if $(ARCH),deps-cross,deps-test deps-prove deps-bench deps-kernel) ## install the Debian packages that the other targets need, or name them

deps-cross:
	@tests/deps binutils $(CROSS_DEPS)

deps-build: ## install what building needs, and no more
	@tests/deps $(BUILD_DEPS)

deps-demo:
	@tests/deps $(BUILD_DEPS) $(BOOT_DEPS)

# Elsewhere the tests say what they need.
deps-check:
	@[ ! -e /etc/debian_version ] || tests/deps $(BUILD_DEPS) $(CHECK_DEPS)

deps-test:
	@tests/deps $(BUILD_DEPS) $(BOOT_DEPS) $(TEST_DEPS) $(LINT_DEPS)

deps-kernel:
	@tests/deps $(KERNEL_DEPS)

# Debian 13 has no Frama-C.
deps-prove:
	@command -v frama-c > /dev/null || ! grep -q '^VERSION_ID="12"' /etc/os-release || tests/deps $(PROVE_DEPS)

deps-deb:
	@tests/deps $(BUILD_DEPS) $(DEB_DEPS) $(if $(ARCH),mmdebstrap)

# Elsewhere rpmbuild says what it needs.
deps-rpm:
	@[ ! -e /etc/debian_version ] || tests/deps $(BUILD_DEPS) $(RPM_DEPS)

deps-ci:
	@tests/deps $(BUILD_DEPS) $(CI_DEPS)

deps-bench:
	@tests/deps $(BUILD_DEPS) $(BOOT_DEPS) $(BENCH_DEPS)

build/%/root: tests/debian-root
	tests/debian-root $* $@
	@touch $@

# A Debian 13 with the image builders whose recipes are run.
RECIPE_BUILDERS = debian-archive-keyring dosfstools fdisk mkosi mmdebstrap mount mtools reprepro systemd-repart
build/recipes/root: tests/derived-root Makefile | root-trixie
	@echo 'recipes: getting image builders into $@: a minute'
	$(Q)echo 'add $(RECIPE_BUILDERS)' | tests/derived-root build/trixie/root $@
	@touch $@

$(patsubst %,root-%,$(ROOTS) $(MATRIX_ROOTS) recipes): root-%: build/%/root all
	$(Q)$(MAKE) -s install DESTDIR=build/$*/root > /dev/null

# SUITE-ARCHITECTURE
$(FOREIGN_ROOTS:%=root-%): root-%: build/%/root all
	$(Q)$(MAKE) -s install ARCH=$(lastword $(subst -, ,$*)) DESTDIR=build/$*/root > /dev/null

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

# The Debian release whose monitoring programs `fleet` tries, in guests. Not a part of `matrix`: some minutes for what
# changes only when Debian does.
FLEET = trixie

build/%-fleet/root: tests/fleet-root tests/derived-root | build/%/root all
	tests/fleet-root build/$*/root $@
	@touch $@

fleet: deps-test all build/$(FLEET)-fleet/root ## try what noptrace-fleet(7) says of monitoring programs; FLEET=trixie
	$(Q)$(MAKE) -s install DESTDIR=build/$(FLEET)-fleet/root > /dev/null
	@FLEET=$(FLEET) tests/run tests/fleet.bats

test: deps-test ## run the linters, the proof and the suites, every boot among them
	@$(MAKE) -s -j$$(nproc) -Otarget lint
	@$(MAKE) -s sanitize prove fuzz-lines emulate
	@$(MAKE) -s -j$$(nproc) $(patsubst %,root-%,$(ROOTS) $(FOREIGN_ROOTS)) build/noptrace-list
	@tests/run

matrix: deps-test ## make, check and boot the image of each platform, and print the table of them; then run the recipes
	@$(MAKE) -s -j$$(nproc) $(patsubst %,root-%,$(ROOTS) $(MATRIX_ROOTS) $(FOREIGN_ROOTS))
	@tests/matrix
	@$(MAKE) -s recipes

recipes: deps-test ## run the recipes of noptrace-recipes(7), and boot their disks: some minutes
	@mkdir -p build
	@$(MAKE) -s deb > build/deb.log 2>&1 || { cat build/deb.log; exit 1; }
	@$(MAKE) -s root-recipes
	@tests/run tests/recipes.bats

# Debian 13's, whose suite has TEST_DRACUT_ARGS; that of 059 has nothing of the kind. The source is apt's, of that root.
build/dracut-suite/root: tests/dracut-suite tests/derived-root | build/trixie/root all
	@echo 'dracut-suite: getting QEMU and the source of dracut into $@: a minute'
	$(Q)tests/dracut-suite prepare build/trixie/root $@
	@touch $@

dracut-suite: deps-test ## run tests of dracut's own suite, without noptrace and with it in the image that each of them tests
	@$(MAKE) -s root-trixie build/dracut-suite/root
	@$(MAKE) -s install DESTDIR=build/dracut-suite/root > /dev/null
	@mkdir -p build/tmp
	@TMPDIR=$(CURDIR)/build/tmp tests/dracut-suite run build/dracut-suite/root

# It is built once.
build/bootconfig/vmlinuz:
	@echo 'bootconfig: building a kernel that takes boot configurations: some minutes'
	@mkdir -p build
	$(Q)tests/bootconfig build build/bootconfig > build/bootconfig.log 2>&1 || { tail build/bootconfig.log; exit 1; }

bootconfig: deps-test deps-kernel ## have a kernel that was booted with it read each of two dozen boot configurations
	@$(MAKE) -s all build/guest-lines build/bootconfig/vmlinuz
	@tests/bootconfig compare build/bootconfig

kernel-lines: deps-test ## have a kernel that was booted with it read each of LINES=300 odd command lines
	@$(MAKE) -s root-bookworm
	@LINES_OF_KERNEL=$(LINES) tests/run -f 'odd command lines' tests/kernel.bats

soak: deps-demo ## boot a small image SOAK=200 times in a row, normally and for maintenance: no answer may be wrong
	@$(MAKE) -s root-bookworm
	@mkdir -p build/tmp
	@TMPDIR=$(CURDIR)/build/tmp tests/soak build/bookworm/root $(SOAK) build/soak

bench: deps-bench ## measure the program and noptrace-image beside other tools, and print the numbers
	@$(MAKE) -s bench-run

# Some images are of half a gigabyte: they are made once.
build/bench/images: tests/bench-images tests/hostile-images tests/Images.pm tests/bake $(wildcard modules.d/50noptrace/* modules.d/50noptrace/on-failure/*) build/noptrace | root-bookworm
	@echo 'bench: making the images: a minute'
	$(Q)rm -rf build/bench && mkdir -p build/bench
	$(Q)tests/bench-images build/bookworm/root build/noptrace build/bench
	$(Q)tests/hostile-images build/bench /nowhere
	$(Q)tests/bake build/bookworm/root build/bench/dracut.img 'add_dracutmodules+=" noptrace "' > build/bench/bake.log 2>&1 || \
		{ cat build/bench/bake.log; exit 1; }
	$(Q)tests/bake build/bookworm/root build/bench/without.img > build/bench/bake.log 2>&1 || { cat build/bench/bake.log; exit 1; }
	@touch $@

bench-run: all build/bench/images
	@echo 'bench: measuring: some minutes'
	$(Q)tests/bench-program $(CURDIR)/build/noptrace build/bookworm/root build/bench
	@echo
	$(Q)mkdir -p build/bench/boots build/tmp && tests/bench-boot build/bookworm/root build/noptrace build/bench/boots
	@echo
	$(Q)tests/bench-picture build/bench && echo 'drawn in build/bench/bench.svg'
	@echo
	$(Q)tests/bench build/bookworm/root build/bench

# What the tests take for the program of another architecture.
$(B)/noptrace-emulated: Makefile
	@mkdir -p $(B)
	$(Q)printf '#!/bin/sh\nexec qemu-%s %s "$$@"\n' $(word 2,$(ARCH_$(ARCH))) $(CURDIR)/$(B)/noptrace > $@
	$(Q)chmod 755 $@

check: deps-check all $(if $(ARCH),$(B)/noptrace-emulated) ## run the program's tests and those of install; with ARCH=, the program's under qemu-user
	@$(if $(ARCH),PROGRAM=$(CURDIR)/$(B)/noptrace-emulated tests/run $(ONLY) tests/program.bats,tests/run tests/program.bats tests/install.bats)

emulate: # each architecture's program, built, and what of its tests may differ there
	@for arch in $(ARCHES); do $(MAKE) -s check ARCH=$$arch ONLY='--filter-tags architecture' || exit 1; done

prove: deps-prove ## prove that the reader of command lines reads as the kernel does, whatever the line
	@if command -v frama-c > /dev/null; then tests/prove; else \
		echo 'prove: skipped: this system has no Frama-C; Debian 12 has'; fi

# musl's headers for tools that are not musl-gcc.
MUSL_HEADERS = --target=x86_64-linux-musl -nostdinc -isystem /usr/include/x86_64-linux-musl \
	-isystem $(shell gcc -print-file-name=include)
C_FILES = $(wildcard src/*.c) $(JUDGE_C)
HOST_C_FILES = $(IMAGE_C) tests/noptrace-list.c tests/fuzz.c tests/fuzz-cmdline.c tests/fuzz-files.c

# make -j runs them beside each other.
LINTS = $(addprefix lint-,gcc clang clang-format clang-tidy cppcheck shellcheck shfmt mandoc news)
.PHONY: $(LINTS)
lint: $(LINTS) ## run the compilers' and linters' checks, warnings as errors

# The command line's descriptor is left to exit() on purpose: closing it costs a system call in early boot.
# gcc's malloc-leak does not see that tsearch(3) keeps what it is given; the sanitizer does.
lint-gcc:
	@mkdir -p build
	$(Q)for file in $(C_FILES); do \
		$(CC) -O2 -fanalyzer -Wno-analyzer-fd-leak -Werror $(NEEDED) -c -o build/$@.o $$file || exit 1; \
	done
	$(Q)for file in $(HOST_C_FILES); do \
		$(HOSTCC) -O2 -fanalyzer -Wno-analyzer-malloc-leak -Werror $(HOST_NEEDED) $(HARDEN) -c -o build/$@.o $$file || exit 1; \
	done

lint-clang:
	@mkdir -p build
	$(Q)for file in $(C_FILES); do \
		clang $(MUSL_HEADERS) -O2 -Werror $(NEEDED) -c -o build/$@.o $$file || exit 1; \
	done
	$(Q)for file in $(HOST_C_FILES); do \
		clang -O2 -Werror $(HOST_NEEDED) $(HARDEN) -c -o build/$@.o $$file || exit 1; \
	done

lint-clang-format:
	$(Q)clang-format --dry-run --Werror src/*.[ch] src/image/*.[ch] tests/*.c tests/proof/*.c

# Without the configuration, where it cannot read it, it would go on.
lint-clang-tidy:
	$(Q)clang-tidy --config-file=.clang-tidy --list-checks > /dev/null
	$(Q)clang-tidy --quiet $(C_FILES) -- $(MUSL_HEADERS) $(NEEDED) 2>/dev/null
	$(Q)clang-tidy --quiet $(HOST_C_FILES) -- $(HOST_NEEDED) $(HARDEN) 2>/dev/null

# varFuncNullUB is about a NULL of type int, which musl's is not.
CPPCHECK = cppcheck --quiet --error-exitcode=1 --enable=warning,style,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --std=c11
lint-cppcheck:
	$(Q)$(CPPCHECK) $(HOST_C_FILES)
	$(Q)$(CPPCHECK) --suppress=varFuncNullUB '-DVERSION="$(VERSION)"' $(C_FILES)

lint-shellcheck:
	$(Q)shellcheck -x $(SHELL_FILES)
	$(Q)shellcheck -x -a src/noptrace-image

lint-shfmt:
	$(Q)shfmt -i 4 -ci -bn -sr -s -d $(SHELL_FILES) $(IMAGE_LIB)

lint-mandoc:
	$(Q)mandoc -T lint -W warning $(MAN_PAGES)

lint-news:
	$(Q)! grep -nE '^.{79}' NEWS.md || { echo 'NEWS.md: lines of more than 78 characters, which Debian'\''s changelog cannot take' >&2; exit 1; }

# The program that stops at undefined behaviour, and whose variables are something else than 0 until they are set. ASan
# is not for it: it needs the /proc that the tests hide.
build/noptrace-sanitized: src/noptrace.c src/cmdline.c src/cmdline.h src/cmdline_spec.h Makefile
	@mkdir -p build/sanitized
	$(Q)for file in noptrace cmdline; do \
		$(CC) -O1 $(NEEDED) -fsanitize=undefined,bounds-strict \
			-fsanitize-undefined-trap-on-error -ftrivial-auto-var-init=pattern -c -o build/sanitized/$$file.o src/$$file.c || exit 1; \
	done
	$(Q)$(CC) -static -no-pie -o $@ build/sanitized/noptrace.o build/sanitized/cmdline.o

sanitize: deps-check all build/noptrace-sanitized ## run the program's tests on a build that stops at undefined behaviour
	@PROGRAM=$(CURDIR)/build/noptrace-sanitized tests/run tests/program.bats

mutants: deps-test ## change the program in one of 100 places at a time, or shell as MUTANTS= says, and see a test fail
	@$(MAKE) -s all $(ROOTS:%=root-%)
	@tests/mutants $(MUTANTS)

# A copy of the tree, where programs are built otherwise and tested. Its roots are those of this one.
COPY = rm -rf build/$@ && mkdir -p build/$@/build build/tmp && cp -a $(filter-out build,$(wildcard *)) build/$@ && \
	ln -s $(ROOTS:%=../../%) build/$@/build

coverage: deps-test ## print how much of the program, and of the readers of images, menus and entries, the tests reach
	@$(MAKE) -s $(ROOTS:%=root-%)
	@$(COPY)
	@TMPDIR=$(CURDIR)/build/tmp tests/coverage build/coverage

valgrind: deps-test deps-bench ## run the tests of the program, and of the readers of images, under valgrind
	@$(MAKE) -s $(ROOTS:%=root-%)
	@$(COPY)
	@TMPDIR=$(CURDIR)/build/tmp tests/valgrind build/valgrind

# The reader of images that stops at undefined behaviour and at memory that is not its own or is left behind.
SANITIZE = -fno-sanitize-recover=all -fno-omit-frame-pointer -fsanitize=address,undefined

build/noptrace-list-sanitized: tests/noptrace-list.c $(IMAGE_READER) $(wildcard src/image/*.h) Makefile
	@mkdir -p build
	$(Q)$(HOSTCC) -O1 -g $(HOST_NEEDED) $(SANITIZE) -pie -o $@ $< $(IMAGE_READER) $(HOST_LIBS)

build/fuzz: tests/fuzz.c $(IMAGE_READER) $(wildcard src/image/*.h) Makefile
	@mkdir -p build
	$(Q)clang -O1 -g $(HOST_NEEDED) $(SANITIZE),fuzzer -o $@ tests/fuzz.c $(IMAGE_READER) $(HOST_LIBS)

# The reader of command lines, and another one to compare it with.
build/fuzz-cmdline: tests/fuzz-cmdline.c src/cmdline.c src/cmdline.h src/cmdline_spec.h Makefile
	@mkdir -p build
	$(Q)clang -O1 -g $(HOST_NEEDED) $(SANITIZE),fuzzer -o $@ tests/fuzz-cmdline.c src/cmdline.c

# Each line of the table is a file to begin with, and each that the fuzzer had found.
build/fuzz-lines: tests/command-lines tests/fuzz-cmdline.lines
	@rm -rf $@ && mkdir -p $@
	$(Q)sed '/^#/d; s/^[Yn]\t//' $^ | { i=0; while IFS= read -r line; do i=$$((i + 1)); printf %b "$$line" > $@/$$i; done; }

# The two readers without a fuzzer, for files: in no time.
build/read-lines: tests/fuzz-cmdline.c tests/fuzz-files.c src/cmdline.c src/cmdline.h Makefile
	@mkdir -p build
	$(Q)$(HOSTCC) -O1 $(HOST_NEEDED) -pie -o $@ $(filter %.c,$^)

FUZZ_CMDLINE = ./fuzz-cmdline -max_len=512 -dict=../tests/fuzz-cmdline.dict

fuzz: deps-test build/fuzz build/fuzz-cmdline build/fuzz-lines ## let a fuzzer try the readers of images and of command lines, each for FUZZ_SECONDS=60
	@mkdir -p build/fuzzed build/fuzzed-lines build/fuzz-seeds
	$(Q)cd build && $(FUZZ_CMDLINE) -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 fuzzed-lines fuzz-lines
	$(Q)tests/judged-images /dev/null build/fuzz-seeds apart
	$(Q)tests/uki-images build/fuzz-seeds
	$(Q)tests/erofs-images build/fuzz-seeds /nowhere && rm build/fuzz-seeds/*.says
	$(Q)printf '%s\n' CONFIG_SECURITY_YAMA=y 'CONFIG_LSM="bpf"' 'CONFIG_CMDLINE="a=\"b\" lsm=yama"' CONFIG_CMDLINE_EXTEND=y > build/fuzz-seeds/small-config
	$(Q)printf '\0lsm=bpf' >> build/fuzz-seeds/small-config
	$(Q)cd build && ./fuzz -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 fuzzed fuzz-seeds

# The bounded run: the same lines every time.
fuzz-lines: build/fuzz-cmdline build/fuzz-lines
	@rm -rf build/fuzzed-bounded && mkdir build/fuzzed-bounded
	$(Q)cd build && $(FUZZ_CMDLINE) -seed=1 -runs=200000 -artifact_prefix=fuzz-cmdline. fuzzed-bounded fuzz-lines \
		> fuzz-lines.log 2>&1 || { cat fuzz-lines.log; exit 1; }
	@echo 'fuzz: two readers of command lines, 200000 lines, no difference'

clean: ## remove build/
	rm -rf build

dist: ## make build/noptrace-VERSION.tar.gz
	@mkdir -p build
	git -c tar.umask=022 archive --prefix=noptrace-$(VERSION)/ -o build/noptrace-$(VERSION).tar.gz HEAD

# Packages are of this tree as it is, as root would have it. No pipes: a shell forgets how their first command ended.
TREE = tar -c --mode=go=u-w --exclude=./build --exclude=./.git
MAINTAINER = $(shell sed -n 's/^Maintainer: //p' packaging/debian/control)

# Where packaging/debian stands in the root, as debhelper wants it, there is no more to it.
DEB_TREE = $(B)/deb/noptrace-$(VERSION)

# What another architecture's are built in, as Debian cross-builds: this machine's release, with what the package needs
# of the other beside it.
BUILD_DEPENDS = $(shell sed -n '/^Build-Depends/,/^[A-Z]/s/^ \([a-z0-9-]*\),$$/\1/p' packaging/debian/control)
$(B)/cross: tests/debian-root packaging/debian/control
	tests/debian-root $$(. /etc/os-release && echo $$VERSION_CODENAME)+$(ARCH) $@ \
		build-essential crossbuild-essential-$(ARCH) debhelper $(BUILD_DEPENDS:%=%:$(ARCH))
	@touch $@

deb: deps-deb ## make Debian's packages, in build/deb, or in build/ARCH/deb
	rm -rf $(B)/deb
	mkdir -p $(DEB_TREE)
	$(TREE) -f $(B)/deb/tree.tar .
	tar -x -f $(B)/deb/tree.tar -C $(DEB_TREE)
	rm $(B)/deb/tree.tar
	cp -aL $(DEB_TREE)/packaging/debian $(DEB_TREE)/debian
	umask 022 && packaging/changelog deb $(VERSION) '$(MAINTAINER)' < NEWS.md > $(DEB_TREE)/debian/changelog
ifdef ARCH
	$(MAKE) -s $(B)/cross build/noptrace-uki
	MAKEFLAGS= tests/in-root $(B)/cross $(B)/deb sh -c 'cd /var/tmp/noptrace-$(VERSION) && dpkg-buildpackage -a$(ARCH) -us -uc'
else
	cd $(DEB_TREE) && dpkg-buildpackage -us -uc
endif

# What the distributions' own builders do too: nothing of this machine or of the time is in a package. Debian's rpm knows
# nothing of Debian's packages, strips no symbols, and has a brp-compress that needs bash.
RPM_DATE = $(shell date -u +%s -d "$$(sed -n 's/^## .*(\(.*\))/\1/p' NEWS.md | head -n 1)")
RPM_DEBIAN = --nodeps --define 'optflags -O2' --define 'build_ldflags -s' --define '_build_id_links none' \
	--define '__os_install_post bash %{_rpmconfigdir}/brp-compress'
RPM_BUILD = rpmbuild $(if $(wildcard /etc/debian_version),$(RPM_DEBIAN)) \
	--define '_buildhost localhost' --define 'source_date_epoch_from_changelog 1' \
	--define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1'

# A source package has the whole spec in it, with the names of folders, and needs none of them to be made.
rpm: deps-rpm ## make packages for Fedora, RHEL and openSUSE, in build/rpm
	rm -rf build/rpm
	mkdir -p build/rpm/SOURCES build/rpm/SPECS
	$(TREE) --sort=name --mtime=@$(RPM_DATE) --owner=root --group=root --numeric-owner \
		--transform 's,^\.,noptrace-$(VERSION),S' --use-compress-program='gzip -n' \
		-f build/rpm/SOURCES/noptrace-$(VERSION).tar.gz .
	sed 's/@VERSION@/$(VERSION)/' packaging/noptrace.spec > build/rpm/SPECS/noptrace.spec
	packaging/changelog rpm $(VERSION) '$(MAINTAINER)' < NEWS.md >> build/rpm/SPECS/noptrace.spec
	chmod 644 build/rpm/SOURCES/* build/rpm/SPECS/*
	umask 022 && $(RPM_BUILD) --define '_topdir $(CURDIR)/build/rpm' -bb build/rpm/SPECS/noptrace.spec
	cd build/rpm/SOURCES && umask 022 && $(RPM_BUILD) --define '_topdir /build' --define '_sourcedir .' \
		--define '_srcrpmdir ../SRPMS' -bs ../SPECS/noptrace.spec
