"""System calls that a sandboxed command is refused, by name and number.

A row is ``name/x86-64/aarch64``; ``-`` where an architecture does not have
the call. From 424 on the numbers are the same everywhere.
"""

from typing import Final

#: ``AUDIT_ARCH_…`` of ``linux/audit.h``, by what ``os.uname()`` says.
ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
#: The last call that was looked at (Linux 6.18). Whatever comes after it does
#: not exist for a command, until somebody has read what it does.
LAST_KNOWN: Final = 469

#: Refused with EPERM, whatever the arguments.
REFUSED: Final = """
# other processes: their memory, descriptors and registers
ptrace/101/117 process_vm_readv/310/270 process_vm_writev/311/271
kcmp/312/272 pidfd_getfd/438/438 process_madvise/440/440
process_mrelease/448/448 move_pages/279/239 migrate_pages/256/238
# mounts, namespaces
mount/165/40 umount2/166/39 pivot_root/155/41 chroot/161/51 open_tree/428/428
move_mount/429/429 fsopen/430/430 fsconfig/431/431 fsmount/432/432
fspick/433/433 mount_setattr/442/442 open_tree_attr/467/467
unshare/272/97 setns/308/268
# keyrings
add_key/248/217 request_key/249/218 keyctl/250/219
# parts of the kernel with a history of holes, or past the filter
io_uring_setup/425/425 io_uring_enter/426/426 io_uring_register/427/427
bpf/321/280 userfaultfd/323/282 perf_event_open/298/241 modify_ldt/154/-
personality/135/92 lookup_dcookie/212/18 nfsservctl/180/42
# the machine
kexec_load/246/104 kexec_file_load/320/294 init_module/175/105
finit_module/313/273 delete_module/176/106 reboot/169/142 swapon/167/224
swapoff/168/225 acct/163/89 quotactl/179/60 quotactl_fd/443/443
settimeofday/164/170 clock_settime/227/112 clock_adjtime/305/266
adjtimex/159/171 syslog/103/116 sethostname/170/161 setdomainname/171/162
iopl/172/- ioperm/173/- vhangup/153/58
# files by another way than their path, and watching those of others
open_by_handle_at/304/265 fanotify_init/300/262 inotify_init/253/-
inotify_init1/294/26
# memory that outlives the command or that no limit counts
memfd_create/319/279 memfd_secret/447/447 shmget/29/194 shmat/30/196
shmctl/31/195 semget/64/190 semop/65/193 semctl/66/191 semtimedop/220/192
msgget/68/186 msgsnd/69/189 msgrcv/70/188 msgctl/71/187 mq_open/240/180
mq_unlink/241/181
# owners and flags: Landlock does not keep these to the workspace
chown/92/- lchown/94/- fchown/93/55 fchownat/260/54 file_setattr/469/469
utime/132/- utimes/235/- futimesat/261/-
"""

#: Said not to be supported here, which copying programs take for granted.
UNSUPPORTED: Final = """
setxattr/188/5 lsetxattr/189/6 fsetxattr/190/7 setxattrat/463/463
removexattr/197/14 lremovexattr/198/15 fremovexattr/199/16
removexattrat/466/466
"""

#: Said not to exist, so that programs use the older call that can be checked.
ABSENT: Final = "clone3/435/435 fchmodat2/452/452"

#: Decided by their arguments, or by the keeper.
CHECKED: Final = """
clone/56/220 chmod/90/- fchmod/91/52 fchmodat/268/53 utimensat/280/88
kill/62/129 tkill/200/130 tgkill/234/131 rt_sigqueueinfo/129/138
rt_tgsigqueueinfo/297/240 pidfd_send_signal/424/424
socket/41/198 socketpair/53/199 connect/42/203
prlimit64/302/261 sched_setparam/142/118 sched_setscheduler/144/119
sched_setaffinity/203/122 sched_setattr/314/274 setpriority/141/140
ioprio_set/251/30 fcntl/72/25 ioctl/16/29
"""


def numbers(table: str, machine: str) -> dict[str, int]:
    """Return the numbers of a table's calls on a machine that has them."""
    column = 1 + list(ARCHITECTURES).index(machine)
    rows = (
        row.split("/")
        for line in table.splitlines()
        if not line.startswith("#")
        for row in line.split()
    )
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}
