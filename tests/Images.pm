# SPDX-License-Identifier: MIT
#
# What the scripts that make images for the tests of the reader share: archives, byte by byte.
package Images;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT = qw(pe sdmagic bzimage zboot ikconfig entry file dir symlink_to trailer archive padded packed spit slurp);

my $inode;

# a folder that the names of entries, and the absolute targets of links, are in; with a slash at its end
our $within = '';

# entry NAME => …, mode => …: one of a newc archive. size and name_size are what the header says, if that
# is not the truth; end is what the name ends in.
sub entry {
    my %of = (
        magic => '070701', name => '', mode => 0100644, uid => 0, gid => 0, links => 1, body => '',
        major => 0, minor => 0, rmajor => 0, rminor => 0, end => "\0", ino => ++$inode, @_
    );
    my $name = ($of{name} eq 'TRAILER!!!' ? '' : $within) . $of{name} . $of{end};
    my $size = $of{size} // length $of{body};
    my $name_size = $of{name_size} // length $name;
    my $header = $of{magic} . join '', map { sprintf '%08x', $_ } $of{ino}, $of{mode}, $of{uid}, $of{gid},
        $of{links}, 0, $size, $of{major}, $of{minor}, $of{rmajor}, $of{rminor}, $name_size, 0;
    return padded(padded($header . $name) . $of{body});
}

sub padded {
    my ($bytes, $to) = (@_, 4);
    return $bytes . "\0" x (-length($bytes) % $to);
}

sub file { return entry(name => $_[0], body => $_[1] // '', @_[2 .. $#_]) }
sub dir { return entry(name => $_[0], mode => 040755, @_[1 .. $#_]) }
sub symlink_to {
    my ($name, $target, @rest) = @_;
    $target = "/$within" . substr $target, 1 if $within && $target =~ m{^/};
    return entry(name => $name, mode => 0120777, body => $target, @rest);
}
sub trailer { return entry(name => 'TRAILER!!!', mode => 0, @_) }
sub archive { return join '', @_, trailer() }

# where a PE file's header says that its base relocations are, and how many bytes of them
our @relocations;

# pe MACHINE, [NAME, BYTES, KEY => …]…: a PE file with these sections. size, address, raw and offset are what the
# header says, if that is not the truth.
sub pe {
    my ($machine, @sections) = @_;
    my $directories = @relocations ? pack 'x40 V2', @relocations : '';
    my $optional = pack('v x106 V', 0x20b, length($directories) / 8) . $directories;
    my $start = 64 + 24 + length($optional) + 40 * @sections;
    my ($table, $data, $address) = ('', '', 0x10000);
    for (@sections) {
        my ($name, $bytes, %of) = @$_;
        my $size = $of{size} // length $bytes;
        $table .= pack 'a8 V4 V3 V', $name, $size, $of{address} // $address, $of{raw} // length $bytes,
            $of{offset} // ($start + length $data), 0, 0, 0, 0x40000040;
        $data .= $bytes;
        $address += ($size + 0xfff) & ~0xfff;
    }
    return 'MZ' . "\0" x 58 . pack('V', 64) . "PE\0\0" . pack('v v V3 v v', $machine, scalar @sections, 0, 0, 0, length $optional, 0x22)
        . $optional . $table . $data;
}

# sdmagic VERSION: the section in which a stub of systemd says what it is.
sub sdmagic { return [ '.sdmagic', "#### LoaderInfo: systemd-stub $_[0] ####\0" ] }

# bzimage RELEASE, PAYLOAD, KEY => …: a kernel for x86, without its code. offset and length are what the header says of PAYLOAD.
sub bzimage {
    my ($release, $payload, %of) = @_;
    my $setup = "\0" x 1024;
    my $version = "$release (somebody\@here) #1 SMP\0";
    substr($setup, 0x1f1, 1) = chr 1;
    substr($setup, 0x202, 6) = 'HdrS' . pack('v', 0x20f);
    substr($setup, 0x20e, 2) = pack 'v', 0x100;
    substr($setup, 0x248, 8) = pack 'VV', $of{offset} // 16, $of{length} // length $payload;
    substr($setup, 0x300, length $version) = $version;
    return $setup . 'x' x 16 . $payload . 'x' x 16;
}

# zboot PAYLOAD: a kernel that EFI unpacks, without its code.
sub zboot {
    my ($payload) = @_;
    return padded("MZ\0\0zimg" . pack('VV', 1024, length $payload), 1024) . $payload . 'x' x 16;
}

# ikconfig BYTES: a configuration, as it is in a kernel.
sub ikconfig { return 'IKCFG_ST' . packed('gzip -n', $_[0]) . 'IKCFG_ED' }

# packed COMMAND, BYTES: what the compressor makes of them.
sub packed {
    my ($command, $bytes) = @_;
    my $name = ($ENV{TMPDIR} // '/tmp') . "/images.$$";
    spit($name, $bytes);
    my $packed = qx($command < $name);
    die "$command failed\n" if $?;
    unlink $name;
    return $packed;
}

sub spit {
    my ($name, $bytes) = @_;
    open my $to, '>:raw', $name or die "$name: $!\n";
    print $to $bytes;
    close $to or die "$name: $!\n";
}

sub slurp {
    my ($name) = @_;
    open my $from, '<:raw', $name or die "$name: $!\n";
    local $/ = undef;
    return scalar <$from>;
}

1;
