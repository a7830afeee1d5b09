import { parseDocument } from 'yaml';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { isMap, listIn, type PlainMap, strangers } from './plain-data.ts';

const topKeys = ['name', 'services', 'volumes', 'x-limits'];
const serviceKeys = [
	'build',
	'command',
	'cpus',
	'depends_on',
	'entrypoint',
	'environment',
	'healthcheck',
	'image',
	'init',
	'logging',
	'mem_limit',
	'memswap_limit',
	'pids_limit',
	'profiles',
	'restart',
	'runtime',
	'volumes',
	'working_dir',
];

/**
 * What is wrong with a compose file of ours. A schema would not do: it accepts a mounted docker.sock, an empty
 * certificate directory, an engine's store in two engines.
 */
export function composeProblems(text: string): readonly string[] {
	const document = parseDocument(text, { merge: true, uniqueKeys: true });
	if (document.errors.length > 0) return document.errors.map(error => `is not YAML: ${error.message}`);
	const file: unknown = document.toJS();
	if (!isMap(file) || !isMap(file['services'])) return ['has no services'];
	const services = Object.entries(file['services']).filter((entry): entry is [string, PlainMap] => isMap(entry[1]));
	const declared = isMap(file['volumes']) ? file['volumes'] : {};
	return [
		...strangers(file, topKeys).map(key => `has the unknown key ${key}`),
		...(services.length === 0 ? ['has no services'] : []),
		// Options of a volume's driver can make a bind mount of it.
		...Object.entries(declared)
			.filter(([, volume]) => isMap(volume) && Object.keys(volume).length > 0)
			.map(([name]) => `gives options to the volume ${name}`),
		...services.flatMap(([name, service]) =>
			serviceProblems(service, Object.keys(declared), file['services'] as PlainMap).map(what => `${name}: ${what}`),
		),
		...storeProblems(services),
	];
}

function serviceProblems(service: PlainMap, volumes: readonly string[], services: PlainMap): readonly string[] {
	const problems: string[] = strangers(service, serviceKeys).map(key => `has the unknown key ${key}`);
	if (service['runtime'] !== runtimeName) problems.push(`does not run under ${runtimeName}`);
	if (typeof service['image'] !== 'string' && !isMap(service['build'])) problems.push('names no image');
	for (const volume of listIn(service['volumes'])) problems.push(...volumeProblems(volume, volumes));
	const environment = isMap(service['environment']) ? service['environment'] : {};
	if (service['environment'] !== undefined && !isMap(service['environment']))
		problems.push('has an environment that is no map');
	problems.push(...environmentProblems(environment, services));
	const isEngine = mounts(service).some(mount => mount.target === '/var/lib/docker');
	const health = isMap(service['healthcheck']) ? service['healthcheck'] : undefined;
	if (isEngine && health === undefined) problems.push('is an engine without a health check');
	// Where every mount fails, dockerd answers and no container starts.
	if (health !== undefined && !listIn(health['test']).some(word => /\bdocker run --rm\b/.test(String(word))))
		problems.push('has a health check that starts no container');
	if (isEngine && environment['DOCKER_TLS_CERTDIR'] === undefined)
		problems.push('is an engine that does not ask for TLS');
	const needs = isMap(service['depends_on']) ? service['depends_on'] : {};
	for (const need of Object.keys(needs))
		if (services[need] === undefined) problems.push(`depends on ${need}, which is not there`);
	const engine = engineOf(environment);
	if (engine !== undefined && needs[engine] === undefined) problems.push(`does not wait for ${engine}`);
	return problems;
}

function volumeProblems(volume: unknown, declared: readonly string[]): readonly string[] {
	const [source, target] = typeof volume === 'string' ? volume.split(':') : [];
	if (source === undefined || target === undefined || !target.startsWith('/'))
		return [`mounts ${JSON.stringify(volume)}`];
	if (!/^[A-Za-z0-9][\w.-]*$/.test(source)) return [`mounts ${source} of the host`];
	return declared.includes(source) ? [] : [`mounts the volume ${source}, which is not declared`];
}

/** Rules about variables that hold for compose services and CI jobs alike. */
export function environmentProblems(environment: PlainMap, services?: PlainMap): readonly string[] {
	const problems: string[] = [];
	for (const name of Object.keys(environment)) {
		// sysbox-runc refuses a container with such a variable that it does not know.
		if (name.startsWith('SYSBOX_')) problems.push(`sets ${name}`);
	}
	const directory = environment['DOCKER_TLS_CERTDIR'];
	if (directory !== undefined && (typeof directory !== 'string' || !directory.startsWith('/')))
		problems.push('switches TLS off');
	const host = environment['DOCKER_HOST'];
	if (host === undefined) return problems;
	const engine = engineOf(environment);
	if (engine === undefined) return [...problems, `talks to ${String(host)}, not to an engine by TLS`];
	if (services !== undefined && services[engine] === undefined) problems.push(`talks to ${engine}, which is not there`);
	if (environment['DOCKER_TLS_VERIFY'] !== '1') problems.push("does not check the engine's certificate");
	if (environment['DOCKER_CERT_PATH'] !== '/certs/client') problems.push('does not name the client certificate');
	return problems;
}

function engineOf(environment: PlainMap): string | undefined {
	return /^tcp:\/\/([\w.-]+):2376$/.exec(String(environment['DOCKER_HOST'] ?? ''))?.[1];
}

function mounts(service: PlainMap): readonly { source: string; target: string }[] {
	return listIn(service['volumes']).flatMap(volume => {
		const [source = '', target = ''] = String(volume).split(':');
		return [{ source, target }];
	});
}

/** Two engines on one store destroy it. */
function storeProblems(services: readonly (readonly [string, PlainMap])[]): readonly string[] {
	const owners = new Map<string, string>();
	const problems: string[] = [];
	for (const [name, service] of services) {
		for (const { source } of mounts(service).filter(mount => mount.target === '/var/lib/docker')) {
			const other = owners.get(source);
			if (other !== undefined) problems.push(`${name}: has the engine store of ${other}`);
			owners.set(source, name);
		}
	}
	return problems;
}
