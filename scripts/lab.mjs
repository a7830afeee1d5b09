#!/usr/bin/env node
// `npm run lab`: a shell on a lab host (test/lab/README.md) with the built tool,
// the container images and the stand-in packages inside. The host is removed
// when the shell ends.
//   npm run lab -- [--cgroup v1|v2] [--no-tool]
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
	options: { cgroup: { type: 'string', default: 'v2' }, 'no-tool': { type: 'boolean', default: false } },
});
const { cgroup } = values;
if (cgroup !== 'v1' && cgroup !== 'v2') fail('--cgroup takes v1 or v2');

const dist = join(root, 'dist');
if (!values['no-tool'] && !existsSync(join(dist, 'cli.js'))) {
	fail('dist/ is not built: run `npm run build`, or use --no-tool');
}
run([join(root, '.ci', 'prepare')]);

const { startLabHost } = await importTypeScript(join(root, 'test', 'lab', 'lab-host.ts'));
say('starting a host; the first time this builds its image, which takes about a minute');
const host = await startLabHost({ cgroup, name: 'shell' });

/** Asked rather than written down here, so that it stays true. */
const inventory = `
	row() { printf '  %-10s %s\\n' "$1" "$2"; }
	. /etc/os-release
	row system "$PRETTY_NAME, systemd $(systemctl --version | sed -n 's/systemd \\([0-9]*\\).*/\\1/p'), kernel $(uname -r)"
	row docker "$(docker version --format '{{.Server.Version}}'), cgroup v$(docker info --format '{{.CgroupVersion}}'), compose $(docker compose version --short), $(docker buildx version | cut -d' ' -f1-2)"
	row programs "node $(node --version), $(python3 --version), curl, jq, sudo, sshd (off: systemctl start ssh)"
	docker image ls --format '{{.Repository}}:{{.Tag}}  {{.Size}}' | sort | while read -r line; do row image "$line"; done
	for file in /opt/sysbox-setup-lab/images/*.tar; do row archive "$file"; done
	find /root/packages -name '*.deb' -printf '%p  %s\\n' | sort | while read -r path bytes; do
		row package "$path  $(numfmt --to=si "$bytes")B, $(dpkg-deb --field "$path" Description | sed -n 's/.*(\\(.*\\)).*/\\1/p')"
	done
	if command -v sysbox-setup >/dev/null; then row tool "sysbox-setup $(sysbox-setup --version)"; fi
`;

// The shell gets Ctrl-C; this process only waits for it.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
try {
	await host.loadImages('busybox', 'ci-images');
	for (const variant of ['good', 'lying', 'broken']) await host.putPackage(variant);
	await host.putPackage('good', { directory: '/root/packages/leaves', postinst: 'leaves' });
	await host.putPackage('good', { directory: '/root/packages/large', padding: 30_000_000 });
	if (!values['no-tool']) await host.installTool(dist);
	say(`${host.name}, with cgroup ${cgroup}. What is in it, as it says itself:`);
	process.stdout.write((await host.exec(['sh', '-c', inventory])).stdout);
	say('a shell as root; leave it with `exit`');
	const terminal = process.stdin.isTTY ? ['--tty'] : [];
	spawnSync('docker', ['exec', '--interactive', ...terminal, '--workdir', '/root', host.name, 'bash'], {
		stdio: 'inherit',
	});
} finally {
	say('removing the host');
	await host.remove();
}

/** Node 20 reads no TypeScript: bundle the harness into a file it can load. */
async function importTypeScript(file) {
	const { build } = await import('esbuild');
	await mkdir(join(root, '.tmp'), { recursive: true });
	const directory = await mkdtemp(join(root, '.tmp', 'lab.'));
	try {
		const outfile = join(directory, 'lab-host.mjs');
		await build({
			entryPoints: [file],
			outfile,
			bundle: true,
			packages: 'external',
			platform: 'node',
			format: 'esm',
			target: 'node20',
			// It looks for its scripts beside itself.
			define: { 'import.meta.url': JSON.stringify(pathToFileURL(file).href) },
			logLevel: 'warning',
		});
		return await import(pathToFileURL(outfile).href);
	} finally {
		await rm(directory, { recursive: true, force: true });
	}
}

function run([program, ...args]) {
	const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
	if (error) fail(error.message);
	if (status !== 0) process.exit(status ?? 1);
}

function say(text) {
	console.log(`lab: ${text}`);
}

function fail(text) {
	console.error(`lab: ${text}`);
	process.exit(2);
}
