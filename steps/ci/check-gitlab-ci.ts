import { parseDocument } from 'yaml';
import { environmentProblems } from './check-compose.ts';
import { isMap, listIn, type PlainMap, strangers } from './plain-data.ts';

const jobKeys = ['before_script', 'image', 'script', 'services', 'tags', 'variables'];
/** GitLab ignores no key here: a runtime per service does not exist, whatever old articles say. */
const serviceKeys = ['alias', 'name', 'variables'];

/** What is wrong with an example job of ours. */
export function gitlabCiProblems(text: string): readonly string[] {
	const document = parseDocument(text, { uniqueKeys: true });
	if (document.errors.length > 0) return document.errors.map(error => `is not YAML: ${error.message}`);
	const file: unknown = document.toJS();
	if (!isMap(file) || Object.keys(file).length === 0) return ['has no job'];
	return Object.entries(file).flatMap(([name, job]) =>
		isMap(job) ? jobProblems(job).map(what => `${name}: ${what}`) : [`${name} is no job`],
	);
}

function jobProblems(job: PlainMap): readonly string[] {
	const problems: string[] = strangers(job, jobKeys).map(key => `has the unknown key ${key}`);
	if (!listIn(job['tags']).includes('sysbox')) problems.push('does not choose the runner by its tag');
	if (typeof job['image'] !== 'string') problems.push('names no image');
	if (listIn(job['script']).length === 0) problems.push('has no script');
	for (const part of ['before_script', 'script']) {
		if (listIn(job[part]).some(line => typeof line !== 'string'))
			problems.push(`has a line in ${part} that is no text`);
	}
	const variables = isMap(job['variables']) ? job['variables'] : {};
	problems.push(...environmentProblems(variables));
	if (variables['DOCKER_TLS_CERTDIR'] === undefined) problems.push('does not ask for TLS');
	const services = listIn(job['services']);
	const engine = /^tcp:\/\/([\w.-]+):2376$/.exec(String(variables['DOCKER_HOST'] ?? ''))?.[1];
	if (!services.some(service => isMap(service) && service['alias'] === engine))
		problems.push('talks to an engine that is none of its services');
	for (const service of services) {
		if (!isMap(service)) {
			problems.push('has a service that is no map');
			continue;
		}
		problems.push(...strangers(service, serviceKeys).map(key => `has a service with the unknown key ${key}`));
		if (typeof service['name'] !== 'string') problems.push('has a service without an image');
		if (isMap(service['variables'])) problems.push(...environmentProblems(service['variables']));
	}
	return problems;
}
