/*
 * STAND-IN for sysbox-mgr and sysbox-fs (installed under both names), for tests
 * of sysbox-setup only. It listens where the real ones do and answers one line
 * with one line. As sysbox-fs it serves a FUSE file system for each container,
 * all from one process: kill it and every mount is dead, stop it with SIGSTOP
 * and whoever touches one hangs, as with the real one.
 *
 * It runs as root on a machine that is in use: NOTHING HERE OPENS A FILE OF
 * /proc OR /sys FOR WRITING, but for /proc/sys/net in the network namespace of
 * the one who asks, when that is not this process's own (see open_net).
 *
 * Under the name `ask` it is the client: ask SOCKET SECONDS WORD...; SECONDS 0
 * is for ever. It prints the answer; status 0 for "ok", 1 for "error", 3 where
 * nothing listens (it prints why), 4 where no answer came in time.
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIB "/usr/lib/sysbox-stand-in"
#define SWITCHES "/etc/sysbox-stand-in"
#define MOUNTS "/var/lib/sysboxfs"
#define STORES "/var/lib/sysbox"
/* Docker's folder with one folder for each container; sysbox-runc links it. */
#define KNOWN "/run/sysbox-stand-in/known"
#define LONGEST 65536

static const char *self;

static void say(const char *level, const char *format, ...)
{
	char when[32], what[512];
	time_t now = time(NULL);
	va_list list;
	va_start(list, format);
	vsnprintf(what, sizeof what, format, list);
	va_end(list);
	strftime(when, sizeof when, "%F %T", gmtime(&now));
	fprintf(stderr, "time=\"%s\" level=%s msg=\"%s\"\n", when, level, what);
}

static bool starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether `path` is `place` or lies below it. */
static bool within(const char *path, const char *place)
{
	size_t length = strlen(place);
	return strncmp(path, place, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Runs a program and waits: its status, or -1. */
static int run(char *const argv[])
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- the file system of a container ---------------------------------------- */

struct kept {
	char *path, *value;
	struct kept *next;
};

struct box {
	char id[65];
	struct fuse *fuse; /* NULL: its initialization failed */
	int base[6]; /* the folder of each place below /sys, as the container had it */
	unsigned owner;
	struct timespec since;
	struct kept *kept;
	struct box *next;
};

struct handle {
	int fd;
	bool answered;
};

static int host_proc, own_net, own_uts, own_ipc;
static struct stat own_net_stat;

/* What sysbox-fs shows inside; everything else of this tree is empty folders. */
static const char *const places[] = {
	"/proc/sys", "/proc/swaps", "/proc/uptime", "/sys/kernel", "/sys/devices/virtual",
	"/sys/module/nf_conntrack/parameters",
};
#define PLACES (sizeof places / sizeof *places)

/*
 * Settings that a container may change under Sysbox, for itself only: what it
 * writes is kept here, in memory, and read back from here.
 */
static const char *const own[] = {
	"/proc/sys/fs/file-max", "/proc/sys/fs/mqueue/msg_max", "/proc/sys/fs/nr_open",
	"/proc/sys/fs/protected_hardlinks", "/proc/sys/fs/protected_symlinks",
	"/proc/sys/kernel/dmesg_restrict", "/proc/sys/kernel/domainname",
	"/proc/sys/kernel/hostname", "/proc/sys/kernel/kptr_restrict", "/proc/sys/kernel/msgmax",
	"/proc/sys/kernel/panic", "/proc/sys/kernel/panic_on_oops", "/proc/sys/kernel/pid_max",
	"/proc/sys/kernel/printk", "/proc/sys/kernel/sem", "/proc/sys/kernel/shmmax",
	"/proc/sys/user/max_net_namespaces", "/proc/sys/user/max_user_namespaces",
	"/proc/sys/vm/mmap_min_addr", "/proc/sys/vm/overcommit_memory",
};

static bool is_own(const char *path)
{
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (strcmp(path, own[i]) == 0)
			return true;
	return false;
}

static struct box *this_box(void)
{
	return fuse_get_context()->private_data;
}

static struct kept *kept_of(const char *path)
{
	struct kept *one = this_box()->kept;
	while (one && strcmp(one->path, path) != 0)
		one = one->next;
	return one;
}

/* 1 below an emulated place, 0 on the way to one, -1 elsewhere. */
static int known(const char *path)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (within(path, places[i]))
			return 1;
		if (strcmp(path, "/") == 0 || within(places[i], path))
			return 0;
	}
	return -1;
}

/*
 * The folder to start from, and the path from there. Those below /sys were
 * opened before anything was mounted on them: by their names the container's
 * sysfs would lead back to this process, which would wait for itself.
 */
static int base(const char *path, const char **rest)
{
	*rest = path + strlen("/proc/");
	for (size_t i = 0; i < PLACES; i++)
		if (starts(path, "/sys/") && within(path, places[i])) {
			*rest = path + strlen(places[i]) + (path[strlen(places[i])] == '/');
			return this_box()->base[i];
		}
	return host_proc;
}

static int enter(const char *which, int type)
{
	char name[64];
	snprintf(name, sizeof name, "/proc/%d/ns/%s", (int)fuse_get_context()->pid, which);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int result = setns(fd, type);
	close(fd);
	return result;
}

/*
 * Goes where the one who asks is: settings of the network, the host's name and
 * System V IPC belong to a namespace. Each thread has namespaces of its own.
 */
static int go(const char *path)
{
	if (within(path, "/proc/sys/net"))
		return enter("net", CLONE_NEWNET);
	if (within(path, "/proc/sys/kernel"))
		return enter("uts", CLONE_NEWUTS) || enter("ipc", CLONE_NEWIPC) ? -1 : 0;
	return 0;
}

static void back(const char *path)
{
	if (within(path, "/proc/sys/net"))
		setns(own_net, CLONE_NEWNET);
	if (within(path, "/proc/sys/kernel")) {
		setns(own_uts, CLONE_NEWUTS);
		setns(own_ipc, CLONE_NEWIPC);
	}
}

/* Whether this thread is in a network namespace other than the host's. */
static bool elsewhere(void)
{
	struct stat now;
	char name[64];
	snprintf(name, sizeof name, "/proc/self/task/%d/ns/net", (int)gettid());
	return stat(name, &now) == 0 && (now.st_ino != own_net_stat.st_ino || now.st_dev != own_net_stat.st_dev);
}

static int folder(struct stat *stat, mode_t mode)
{
	memset(stat, 0, sizeof *stat);
	stat->st_mode = S_IFDIR | mode;
	stat->st_nlink = 1;
	stat->st_size = 4096;
	stat->st_uid = stat->st_gid = this_box()->owner;
	return 0;
}

static int fs_getattr(const char *path, struct stat *stat, struct fuse_file_info *info)
{
	const char *rest;
	int kind = known(path);
	(void)info;
	if (kind < 0)
		return -ENOENT;
	if (kind == 0)
		return folder(stat, strcmp(path, "/") == 0 ? 0600 : 0555);
	if (go(path) < 0)
		return -EACCES;
	int fd = base(path, &rest);
	int result = fstatat(fd, rest, stat, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0 ? -errno : 0;
	back(path);
	if (result == 0) {
		if (stat->st_uid == 0)
			stat->st_uid = this_box()->owner;
		if (stat->st_gid == 0)
			stat->st_gid = this_box()->owner;
		if (S_ISREG(stat->st_mode))
			stat->st_size = 4096;
	}
	return result;
}

static int fs_readlink(const char *path, char *target, size_t size)
{
	const char *rest;
	if (known(path) != 1)
		return -ENOENT;
	int fd = base(path, &rest);
	ssize_t length = readlinkat(fd, rest, target, size - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	return 0;
}

static int fs_readdir(const char *path, void *list, fuse_fill_dir_t fill, off_t offset,
		      struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	const char *rest;
	(void)offset, (void)info, (void)flags;
	if (known(path) != 1) {
		fill(list, ".", NULL, 0, 0);
		fill(list, "..", NULL, 0, 0);
		return 0;
	}
	if (go(path) < 0)
		return -EACCES;
	int at = base(path, &rest);
	int fd = openat(at, *rest ? rest : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 ? -errno : 0;
	DIR *open = fd < 0 ? NULL : fdopendir(fd);
	if (open) {
		for (struct dirent *entry; (entry = readdir(open));)
			fill(list, entry->d_name, NULL, 0, 0);
		closedir(open);
	}
	back(path);
	return result;
}

/*
 * The only place that opens a host's file for writing: a setting of a network
 * namespace that is not the host's.
 */
static int open_net(const char *rest, int flags)
{
	if (!elsewhere())
		return -EACCES;
	int fd = openat(host_proc, rest, (flags & O_ACCMODE) | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int fs_open(const char *path, struct fuse_file_info *info)
{
	const char *rest;
	int fd;
	bool writes = (info->flags & O_ACCMODE) != O_RDONLY;
	if (known(path) != 1)
		return -EACCES;
	if (writes && !within(path, "/proc/sys/net") && !is_own(path))
		return -EACCES;
	if (go(path) < 0)
		return -EACCES;
	int at = base(path, &rest);
	if (writes && within(path, "/proc/sys/net")) {
		fd = open_net(rest, info->flags);
	} else {
		fd = openat(at, rest, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	back(path);
	if (fd < 0)
		return fd;
	struct handle *handle = calloc(1, sizeof *handle);
	if (!handle) {
		close(fd);
		return -ENOMEM;
	}
	handle->fd = fd;
	info->fh = (uint64_t)(uintptr_t)handle;
	info->direct_io = 1;
	return 0;
}

/* The whole content, which the kernel gives at offset 0 only for some files. */
static ssize_t whole(const char *path, int fd, char *text)
{
	struct kept *kept = kept_of(path);
	if (kept) {
		strcpy(text, kept->value);
		return (ssize_t)strlen(text);
	}
	if (strcmp(path, "/proc/uptime") == 0) {
		struct timespec now;
		clock_gettime(CLOCK_BOOTTIME, &now);
		double up = (double)(now.tv_sec - this_box()->since.tv_sec) +
			    (double)(now.tv_nsec - this_box()->since.tv_nsec) / 1e9;
		return sprintf(text, "%.2f %.2f\n", up, up);
	}
	if (go(path) < 0)
		return -EACCES;
	ssize_t length = pread(fd, text, LONGEST, 0);
	if (length < 0)
		length = -errno;
	back(path);
	return length;
}

static int fs_read(const char *path, char *into, size_t size, off_t offset, struct fuse_file_info *info)
{
	struct handle *handle = (struct handle *)(uintptr_t)info->fh;
	/* Only these are passed on as they are. */
	if (within(path, "/sys/kernel")) {
		ssize_t length = pread(handle->fd, into, size, offset);
		return length < 0 ? -errno : (int)length;
	}
	if (offset > 0 && handle->answered)
		return 0;
	char *text = malloc(LONGEST);
	if (!text)
		return -ENOMEM;
	ssize_t length = whole(path, handle->fd, text);
	bool at_once = strcmp(path, "/proc/uptime") == 0 || strcmp(path, "/proc/swaps") == 0;
	if (length > 0 && (offset >= length || (at_once && (offset > 0 || (ssize_t)size < length)) ||
			   (offset > 0 && within(path, "/sys/module"))))
		length = 0;
	if (length > 0) {
		length -= offset;
		if (length > (ssize_t)size)
			length = (ssize_t)size;
		memcpy(into, text + offset, (size_t)length);
		handle->answered = true;
	}
	free(text);
	return (int)length;
}

static int fs_write(const char *path, const char *from, size_t size, off_t offset, struct fuse_file_info *info)
{
	struct handle *handle = (struct handle *)(uintptr_t)info->fh;
	if (within(path, "/proc/sys/net")) {
		if (go(path) < 0)
			return -EACCES;
		ssize_t length = elsewhere() ? pwrite(handle->fd, from, size, offset) : (errno = EACCES, -1);
		int result = length < 0 ? -errno : (int)length;
		back(path);
		return result;
	}
	if (!is_own(path))
		return -EACCES;
	struct kept *kept = kept_of(path);
	if (!kept) {
		kept = calloc(1, sizeof *kept);
		if (!kept)
			return -ENOMEM;
		kept->path = strdup(path);
		kept->next = this_box()->kept;
		this_box()->kept = kept;
	}
	free(kept->value);
	kept->value = strndup(from, size < 256 ? size : 256);
	return (int)size;
}

static int fs_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	(void)size, (void)info;
	return within(path, "/proc/sys/net") || is_own(path) ? 0 : -EACCES;
}

static int fs_release(const char *path, struct fuse_file_info *info)
{
	struct handle *handle = (struct handle *)(uintptr_t)info->fh;
	(void)path;
	close(handle->fd);
	free(handle);
	return 0;
}

static int fs_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	(void)path, (void)mode, (void)info;
	return -EACCES;
}
static int fs_mode(const char *path, mode_t mode, struct fuse_file_info *info)
{
	(void)path, (void)mode, (void)info;
	return -EPERM;
}
static int fs_own(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *info)
{
	(void)path, (void)uid, (void)gid, (void)info;
	return -EPERM;
}
static int fs_mkdir(const char *path, mode_t mode)
{
	(void)path, (void)mode;
	return -EPERM;
}
static int fs_remove(const char *path)
{
	(void)path;
	return -EPERM;
}

static void *fs_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	(void)connection;
	/* The same name is another file for another network namespace. */
	config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
	config->direct_io = 1;
	return this_box();
}

static const struct fuse_operations operations = {
	.init = fs_init,
	.getattr = fs_getattr,
	.readlink = fs_readlink,
	.readdir = fs_readdir,
	.open = fs_open,
	.read = fs_read,
	.write = fs_write,
	.truncate = fs_truncate,
	.release = fs_release,
	.create = fs_create,
	.chmod = fs_mode,
	.chown = fs_own,
	.mkdir = fs_mkdir,
	.unlink = fs_remove,
	.rmdir = fs_remove,
};

/* --- sysbox-fs --------------------------------------------------------------- */

static struct box *boxes;

static struct box *box_of(const char *id)
{
	struct box *box = boxes;
	while (box && strcmp(box->id, id) != 0)
		box = box->next;
	return box;
}

/* A thread of its own for each, until nothing refers to the mount any more. */
static void *serve(void *argument)
{
	struct box *box = argument;
	fuse_loop(box->fuse);
	fuse_destroy(box->fuse);
	for (size_t i = 0; i < PLACES; i++)
		close(box->base[i]);
	return NULL;
}

static int open_place(const char *root, const char *place)
{
	char name[512];
	snprintf(name, sizeof name, "%s%s", root, place);
	return open(name, O_PATH | O_CLOEXEC);
}

/* Mounts the file system of a container; what a real one answers if not. */
static void pre_register(const char *id, const char *owner, char *answer, size_t size)
{
	char path[128];
	struct stat stat;
	pthread_t thread;
	if (strlen(id) > 64 || strchr(id, '/')) {
		snprintf(answer, size, "error Internal desc = Initialization error for container-id %s", id);
		return;
	}
	if (box_of(id)) {
		snprintf(answer, size, "error AlreadyExists desc = Container %s already pre-registered", id);
		return;
	}
	struct box *box = calloc(1, sizeof *box);
	snprintf(box->id, sizeof box->id, "%s", id);
	box->owner = (unsigned)strtoul(owner, NULL, 10);
	for (size_t i = 0; i < PLACES; i++)
		box->base[i] = open_place("", places[i]);
	clock_gettime(CLOCK_BOOTTIME, &box->since);
	box->next = boxes;
	boxes = box;

	snprintf(path, sizeof path, MOUNTS "/%s", id);
	mkdir(path, 0700);
	bool good = lstat(path, &stat) == 0;
	if (good) {
		char *argv[] = { "sysbox-fs", "-o", "fsname=sysboxfs,default_permissions,allow_other,nosuid,nodev", NULL };
		struct fuse_args args = FUSE_ARGS_INIT(3, argv);
		box->fuse = fuse_new(&args, &operations, sizeof operations, box);
		good = box->fuse && fuse_mount(box->fuse, path) == 0;
		if (good && pthread_create(&thread, NULL, serve, box) != 0) {
			fuse_unmount(box->fuse);
			good = false;
		}
		if (good)
			pthread_detach(thread);
		if (!good)
			box->fuse = NULL;
		fuse_opt_free_args(&args);
	}
	if (good) {
		snprintf(answer, size, "ok");
	} else {
		say("error", "FuseServer InitWait error: %s", strerror(errno));
		snprintf(answer, size, "error Internal desc = Initialization error for container-id %s", id);
	}
}

/*
 * Shows the places inside a container whose root is not yet entered: `root` is
 * a path in the mount namespace of its first process.
 */
static void show(const char *id, const char *pid, const char *root, char *answer, size_t size)
{
	char name[512];
	int status;
	struct box *box = box_of(id);
	if (!box || !box->fuse) {
		snprintf(answer, size, "error Container %s is not pre-registered", id);
		return;
	}
	snprintf(name, sizeof name, "/proc/%s/root%s", pid, root);
	for (size_t i = 0; i < PLACES; i++) {
		int fd = open_place(name, places[i]);
		if (fd < 0)
			continue;
		close(box->base[i]);
		box->base[i] = fd;
	}
	snprintf(name, sizeof name, "/proc/%s/ns/mnt", pid);
	int space = open(name, O_RDONLY | O_CLOEXEC);
	pid_t child = space < 0 ? -1 : fork();
	if (child == 0) {
		if (setns(space, CLONE_NEWNS) < 0)
			_exit(errno);
		for (size_t i = 0; i < PLACES; i++) {
			char from[256], to[512];
			snprintf(from, sizeof from, MOUNTS "/%s%s", id, places[i]);
			snprintf(to, sizeof to, "%s%s", root, places[i]);
			if (mount(from, to, NULL, MS_BIND, NULL) < 0 && errno != ENOENT && errno != ENOTDIR)
				_exit(errno);
		}
		_exit(0);
	}
	if (space >= 0)
		close(space);
	if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
		snprintf(answer, size, "error cannot mount in the container: %s",
			 child < 0 ? strerror(errno) : strerror(WEXITSTATUS(status)));
	else
		snprintf(answer, size, "ok");
}

static void take_away(struct box *box)
{
	char path[128];
	snprintf(path, sizeof path, MOUNTS "/%s", box->id);
	umount2(path, MNT_DETACH);
	rmdir(path);
}

static void forget(const char *id)
{
	for (struct box **link = &boxes; *link; link = &(*link)->next) {
		struct box *box = *link;
		/* The real one does not forget what it failed to initialize either. */
		if (strcmp(box->id, id) != 0 || !box->fuse)
			continue;
		take_away(box);
		*link = box->next;
		return;
	}
}

static void answer_fs(char *words[], char *answer, size_t size)
{
	if (strcmp(words[0], "pre") == 0 && words[2])
		pre_register(words[1], words[2], answer, size);
	else if (strcmp(words[0], "show") == 0 && words[2] && words[3])
		show(words[1], words[2], words[3], answer, size);
	else if (strcmp(words[0], "knows") == 0 && words[1] && !box_of(words[1]))
		snprintf(answer, size, "error");
	else if (strcmp(words[0], "delete") == 0 && words[1])
		forget(words[1]);
}

/* How often a start is still to be missed: as many as the switch says. */
static void miss_starts(void)
{
	int count = 0;
	FILE *file = fopen(SWITCHES "/fs-misses", "r+");
	if (!file)
		return;
	if (fscanf(file, "%d", &count) != 1)
		count = 0;
	if (count > 0) {
		rewind(file);
		if (ftruncate(fileno(file), 0) == 0)
			fprintf(file, "%d\n", count - 1);
	}
	fclose(file);
	/* Nothing more is said until systemd ends it. */
	if (count > 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		for (;;)
			pause();
	}
}

static void start_fs(void)
{
	if (access("/usr/bin/fusermount3", X_OK) != 0 && access("/usr/bin/fusermount", X_OK) != 0) {
		say("fatal", "failed to create sysbox-fs: exec: \\\"fusermount3\\\": executable file not found in $PATH");
		exit(1);
	}
	host_proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	own_uts = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	own_ipc = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
	if (host_proc < 0 || own_uts < 0 || own_ipc < 0 || own_net < 0 || fstat(own_net, &own_net_stat) < 0) {
		say("fatal", "cannot open the host's own folders: %s", strerror(errno));
		exit(1);
	}
	mkdir(MOUNTS, 0755);
	say("info", "FUSE dir = " MOUNTS);
	/* Folders of a host that went down; one with a dead mount on it stays. */
	DIR *list = opendir(MOUNTS);
	for (struct dirent *entry; list && (entry = readdir(list));)
		unlinkat(dirfd(list), entry->d_name, AT_REMOVEDIR);
	if (list)
		closedir(list);
	miss_starts();
}

static void stop_fs(void)
{
	if (access(SWITCHES "/leave-mounts", F_OK) == 0)
		return;
	for (struct box *box = boxes; box; box = box->next)
		if (box->fuse)
			take_away(box);
}

/* --- sysbox-mgr -------------------------------------------------------------- */

static const char *const stores[] = {
	"buildkit", "containerd", "docker", "k0s", "kubelet", "rancher-k3s", "rancher-rke2",
};

/* The folders of containers that Docker has removed. */
static void sweep(void)
{
	if (access(KNOWN, F_OK) != 0)
		return;
	DIR *list = opendir(STORES "/buildkit");
	if (!list)
		return;
	for (struct dirent *entry; (entry = readdir(list));) {
		char path[512];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, KNOWN "/%s", entry->d_name);
		if (access(path, F_OK) == 0)
			continue;
		for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
			snprintf(path, sizeof path, STORES "/%s/%s", stores[i], entry->d_name);
			run((char *[]){ "/bin/rm", "-rf", "--", path, NULL });
		}
		snprintf(path, sizeof path, "/run/sysbox-stand-in/containers/%s", entry->d_name);
		unlink(path);
	}
	closedir(list);
}

/* --- both -------------------------------------------------------------------- */

static bool is_fs;

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	return address;
}

/*
 * The file stays when the daemon ends, as it does with the real one: a client
 * is refused rather than told that there is nothing.
 */
static int listen_at(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 64) < 0) {
		say("fatal", "cannot listen on %s: %s", path, strerror(errno));
		exit(1);
	}
	chmod(path, 0600);
	say("info", "Listening on %s", path);
	return fd;
}

static void tell_systemd(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	if (!path)
		return;
	struct sockaddr_un address = address_of(path);
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&address,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	close(fd);
}

static void attend(int listener)
{
	char line[1024], answer[1024] = "ok", *words[8] = { NULL };
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t length = poll(&ready, 1, 2000) == 1 ? read(fd, line, sizeof line - 1) : 0;
	if (length > 0) {
		line[length] = '\0';
		size_t count = 0;
		for (char *rest = line, *word; count < 7 && (word = strtok_r(rest, " \n", &rest));)
			words[count++] = word;
		if (is_fs && words[0])
			answer_fs(words, answer, sizeof answer);
		dprintf(fd, "%s\n", answer);
	}
	close(fd);
}

static int version(void)
{
	char number[64] = "", variant[64] = "";
	FILE *file = fopen(LIB "/about", "r");
	if (!file || fscanf(file, "%63s %63s", number, variant) != 2)
		return 1;
	printf("%s\n\tedition: \tCommunity Edition (CE)\n\tversion: \t%s\n", self, number);
	printf("\tcommit: \t%040d\n\tbuilt at: \tThu Jan  1 00:00:00 UTC 1970\n", 0);
	printf("\tbuilt by: \tstand-in for tests (%s)\n", variant);
	return 0;
}

static int ask(int argc, char *argv[])
{
	char text[1024] = "";
	struct sockaddr_un address = address_of(argv[1]);
	int seconds = atoi(argv[2]);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		puts(errno == ENOENT ? "no such file or directory" : "connection refused");
		return 3;
	}
	for (int i = 3; i < argc; i++) {
		strncat(text, argv[i], sizeof text - strlen(text) - 2);
		strcat(text, i + 1 < argc ? " " : "\n");
	}
	if (write(fd, text, strlen(text)) < 0)
		return 3;
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	if (poll(&ready, 1, seconds ? seconds * 1000 : -1) == 0)
		return 4;
	ssize_t length = read(fd, text, sizeof text - 1);
	if (length <= 0) {
		puts("connection refused");
		return 3;
	}
	text[length] = '\0';
	if (starts(text, "error")) {
		fputs(text + (text[5] == ' ' ? 6 : 5), stdout);
		return 1;
	}
	return 0;
}

int main(int argc, char *argv[])
{
	self = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	if (strcmp(self, "ask") == 0 && argc > 3)
		return ask(argc, argv);
	is_fs = strcmp(self, "sysbox-fs") == 0;
	if (!is_fs && strcmp(self, "sysbox-mgr") != 0) {
		fprintf(stderr, "this is sysbox-mgr and sysbox-fs, not %s\n", self);
		return 2;
	}
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		return version();

	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);

	say("info", "Starting %s", self);
	mkdir("/run/sysbox", 0700);
	struct pollfd sources[3] = { { .events = POLLIN }, { .events = POLLIN, .fd = -1 }, { .events = POLLIN } };
	if (is_fs) {
		start_fs();
		sources[0].fd = listen_at("/run/sysbox/sysfs.sock");
		sources[1].fd = listen_at("/run/sysbox/sysfs-seccomp.sock");
	} else {
		if (run((char *[]){ LIB "/mgr", "start", NULL }) != 0)
			return 1;
		sources[0].fd = listen_at("/run/sysbox/sysmgr.sock");
	}
	sources[2].fd = signalfd(-1, &signals, SFD_CLOEXEC);
	say("info", "Ready ...");
	tell_systemd();

	while (!(sources[2].revents & POLLIN)) {
		int count = poll(sources, 3, is_fs ? -1 : 1000);
		if (count == 0 && !is_fs)
			sweep();
		for (int i = 0; count > 0 && i < 2; i++)
			if (sources[i].revents & POLLIN)
				attend(sources[i].fd);
	}
	say("info", "Caught OS signal: terminated");
	say("info", "Stopping (gracefully) ...");
	if (is_fs)
		stop_fs();
	else
		run((char *[]){ LIB "/mgr", "stop", NULL });
	say("info", "Exiting.");
	/* Not exit(): threads of mounts that are still in use are in the way. */
	_exit(0);
}
