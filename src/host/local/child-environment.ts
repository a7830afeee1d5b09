/** Variables that change what a program prints, or that belong to how this tool was started. */
const removedNames = new Set([
	'CI',
	'CONTINUOUS_INTEGRATION',
	'FORCE_COLOR',
	'NO_COLOR',
	'CLICOLOR',
	'CLICOLOR_FORCE',
	'COLORTERM',
	'GREP_COLORS',
	'GREP_OPTIONS',
	'LS_COLORS',
	'LANGUAGE',
	'SYSTEMD_COLORS',
	'NODE_OPTIONS',
	'INIT_CWD',
]);

/** A stray `SYSBOX_…` changes how a sysbox container behaves (sysbox user guide, "configuration"). */
const removedPrefixes = ['SBXSETUP_', 'SYSBOX_', 'npm_', 'LC_'];

/** Where administrators' programs lie. Debian leaves these out of an ordinary user's PATH. */
const systemDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin', '/snap/bin'];

/** Of the environment that root was started with: the addresses of Docker and of proxies, and the terminal. */
const keptForRoot =
	/^(?:DOCKER_(?:HOST|CONTEXT|TLS_VERIFY|CERT_PATH|API_VERSION)|(?:https?|ftp|all|no)_proxy|TERM|TZ|SUDO_(?:USER|UID|GID))$/i;

/**
 * The environment for every command: English and without colours, so that its output can be read; without questions;
 * otherwise the operator's (`DOCKER_HOST`, proxies).
 *
 * Root's commands get less of it, as sudo without `secure_path` or with `env_keep` hands over what a user can write:
 * programs come from the system's directories alone, and `home`, root's own, is where the docker command looks for its
 * configuration and its plugins. `home` undefined: the process is not root.
 */
export function childEnvironment(
	own: Readonly<Record<string, string | undefined>>,
	home?: string | undefined,
): Record<string, string> {
	const kept: Record<string, string> = {};
	for (const [name, value] of Object.entries(own)) {
		if (value === undefined || removedNames.has(name) || removedPrefixes.some(prefix => name.startsWith(prefix)))
			continue;
		if (home === undefined || keptForRoot.test(name)) kept[name] = value;
	}
	return {
		...kept,
		...(home !== undefined && { HOME: home, USER: 'root', LOGNAME: 'root' }),
		PATH: home === undefined ? searchPath(own.PATH) : systemDirectories.join(':'),
		LC_ALL: 'C',
		LANG: 'C',
		DEBIAN_FRONTEND: 'noninteractive',
		// Ubuntu's apt hook would restart services that nobody was asked about (needrestart(1), NEEDRESTART_SUSPEND).
		NEEDRESTART_SUSPEND: '1',
	};
}

/**
 * npx puts `node_modules/.bin` of the working directory and of all directories above it in front. Whoever can write there would
 * choose which `docker` is run. The same goes for relative entries.
 */
function searchPath(path: string | undefined): string {
	const own = (path ?? '')
		.split(':')
		.filter(directory => directory.startsWith('/') && !/\/node_modules\/\.bin\/?$|\/node-gyp-bin\/?$/.test(directory));
	return [...own, ...systemDirectories.filter(directory => !own.includes(directory))].join(':');
}
