import { describe, expect, it } from 'vitest';
import { redact, redactArgv, redactDeep, redactLines } from '../../src/text/redact.ts';
import corpus from '../fixtures/secrets/shapes.json' with { type: 'json' };

describe('what is taken out of text before it is logged or shown', () => {
	it.each([
		[
			'a proxy with a user',
			'HTTP_PROXY=http://ci:hunter2@proxy.example:3128',
			'HTTP_PROXY=http://[redacted]@proxy.example:3128',
		],
		['a password that holds an @', 'http://ci:hun@ter2@proxy.example/x', 'http://[redacted]@proxy.example/x'],
		['a URL without a user', 'redis://:hunter2@cache:6379/0', 'redis://[redacted]@cache:6379/0'],
		['each of several URLs', 'http://a:b1@h1,https://c:d2@h2', 'http://[redacted]@h1,https://[redacted]@h2'],
		['a GitLab runner token', 'token is glrt-0123456789abcdefghij now', 'token is [redacted] now'],
		['a GitLab personal token', 'glpat-AbCdEfGhIj_123456', '[redacted]'],
		['a GitHub token', 'ghp_0123456789abcdefghijABCDEFGHIJ', '[redacted]'],
		['a fine-grained GitHub token', 'github_pat_11ABCDEFG0123456789_abcdef', '[redacted]'],
		['a Slack token', 'xoxb-123456789012-abcdef', '[redacted]'],
		['an npm token', 'npm_0123456789abcdefghij', '[redacted]'],
		['a JSON web token', 'cookie eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl.', 'cookie [redacted].'],
		['a header', 'curl -H "Authorization: Bearer abc.def"', 'curl -H "Authorization: Bearer [redacted]"'],
		['a header in JSON', '{"authorization": "Basic YW5uYTpwdw=="}', '{"authorization": "Basic [redacted]"}'],
		[
			'what follows what a registry said',
			'authorization: server message: x token=abc',
			'authorization: server message: x token=[redacted]',
		],
		['the auth of docker config.json', '{"auth": "YW5uYTpwdw=="}', '{"auth": "[redacted]"}'],
		['an identity token', '"identitytoken":"abc"', '"identitytoken":"[redacted]"'],
		['a value with an escaped quote', '{"password": "a\\"hunter2", "x": "y"}', '{"password": "[redacted]", "x": "y"}'],
		['a key with a prefix', "runner_token = 'abc'", "runner_token = '[redacted]'"],
		['an environment', 'GITLAB_TOKEN=abc,def NEXT=1', 'GITLAB_TOKEN=[redacted] NEXT=1'],
		['an environment in lower case', 'db_password=hunter2', 'db_password=[redacted]'],
		['an API key', 'MY_API_KEY=abc', 'MY_API_KEY=[redacted]'],
		[
			'a YAML value',
			'environment:\n  POSTGRES_PASSWORD: hunter2 x\n  TZ: UTC',
			'environment:\n  POSTGRES_PASSWORD: [redacted]\n  TZ: UTC',
		],
		['a YAML value in a list', '- api_key: abc', '- api_key: [redacted]'],
		[
			'an option',
			'gitlab-runner register --token abc --url https://x',
			'gitlab-runner register --token [redacted] --url https://x',
		],
		['a secret of a client', 'CLIENT_SECRET=abc', 'CLIENT_SECRET=[redacted]'],
		['a key on one line', 'private-key: abc', 'private-key: [redacted]'],
		['an option with =', '--registration-token=abc', '--registration-token=[redacted]'],
	])('%s', (_what, text, shown) => {
		expect(redact(text)).toBe(shown);
	});

	it.each([
		['a reference in a compose file', `JENKINS_SECRET: \${JENKINS_AGENT_SECRET:?put it into the file .env}`],
		['a plain reference', `  DB_PASSWORD: \${DB_PASSWORD}`],
		['one in quotes', `token: "\${RUNNER_TOKEN}"`],
		['one in an environment', `GITLAB_TOKEN=\${TOKEN} NEXT=1`],
		['the word for a token that is still to be given', 'token = "GIVEN-TO-REGISTER"'],
		['an ellipsis', 'put it into .env, as JENKINS_AGENT_SECRET=…, and'],
		['an option with a reference', `register --token \${TOKEN} --url https://x`],
	])('not %s, which is no secret', (_what, text) => {
		expect(redact(text)).toBe(text);
	});

	it.each([
		['a reference with a default', `DB_PASSWORD=\${DB:-hunter2}`, 'DB_PASSWORD=[redacted]'],
		['a value that only begins so', `DB_PASSWORD=\${DB}hunter2`, 'DB_PASSWORD=[redacted]'],
		['a value that begins with an ellipsis', 'password: …hunter2', 'password: [redacted]'],
		['a dollar sign', 'DB_PASSWORD=$hunter2', 'DB_PASSWORD=[redacted]'],
		['a YAML value with more behind it', `password: \${DB} hunter2`, 'password: [redacted]'],
	])('%s, which may be one', (_what, text, shown) => {
		expect(redact(text)).toBe(shown);
	});

	it('a private key from its first line to its last', () => {
		const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\nZXktdjE=\n-----END OPENSSH PRIVATE KEY-----';
		expect(redact(`before\n${key}\nafter`)).toBe('before\n[redacted]\nafter');
		expect(redact('-----BEGIN RSA PRIVATE KEY-----\nMIIEow, and the end is missing')).toBe('[redacted]');
	});

	it('a key that a PGP program wrote, too', () => {
		const key = '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBF\n-----END PGP PRIVATE KEY BLOCK-----';
		expect(redact(`${key} after`)).toBe('[redacted] after');
	});

	it.each([
		[
			'the body of a private key',
			'a: 1\n-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n  QIBAAK\n-----END RSA PRIVATE KEY-----\nb: 2',
			['a: 1', '[redacted]', '[redacted]', '[redacted]', '[redacted]', 'b: 2'],
		],
		[
			'a key within a value, and what follows it',
			'"key": "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----", "x": 1',
			['"key": "[redacted]', '[redacted]', '[redacted]", "x": 1'],
		],
		[
			'two keys after one another',
			'-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----------BEGIN PRIVATE KEY-----\nMIIF\n-----END PRIVATE KEY-----\nc',
			['[redacted]', '[redacted]', '[redacted][redacted]', '[redacted]', '[redacted]', 'c'],
		],
		[
			'a value in a YAML block',
			'env:\n  CI_TOKEN: |-\n    hunter2\n\n    hunter3\n  TZ: UTC',
			['env:', '  CI_TOKEN: |-', '    hunter2', '', '    hunter3', '  TZ: UTC'].map(l =>
				/hunter/.test(l) ? '[redacted]' : l,
			),
		],
	])('line by line: %s', (_what, text, lines) => {
		expect(redactLines(text)).toEqual(lines);
	});

	it('every string of plain data, however deep, and nothing else of it', () => {
		const value = { n: 1, yes: true, none: null, list: ['TOKEN=abc', { url: 'http://u:pw@h' }] };
		expect(redactDeep(value)).toEqual({
			n: 1,
			yes: true,
			none: null,
			list: ['TOKEN=[redacted]', { url: 'http://[redacted]@h' }],
		});
	});
});

describe('what is innocent', () => {
	it.each([
		'/etc/docker/daemon.json',
		'{"runtimes": {"sysbox-runc": {"path": "/usr/bin/sysbox-runc"}}}',
		'https://download.docker.com/linux/debian',
		'http://proxy.example:3128/',
		'ssh://git@gitlab.example/group/project.git',
		'tcp://127.0.0.1:2376',
		'gitlab/gitlab-runner:v18.5.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
		'docker login --password-stdin registry.example',
		'--token-file /run/secrets/runner',
		'author: Anna',
		'"author": "Anna"',
		'secrets: [a, b]',
		'kernel.keys.maxkeys = 20000',
		'-----BEGIN CERTIFICATE-----',
		'the token of the runner is not looked at',
		'sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
		'no-new-privileges:true',
		'glibc-2.39-0ubuntu8.6',
	])('is left as it is: %s', text => {
		expect(redact(text)).toBe(text);
	});
});

/** `VALUE` stands for the secret in each text of the corpus. */
describe('the shapes in which secrets are found', () => {
	it.each(corpus.shapes.map(({ what, text }) => [what, text] as const))('%s', (_what, text) => {
		expect(redact(text)).not.toContain('VALUE');
		expect(redact(text)).toContain('[redacted]');
	});

	it.each(corpus.kin)('%s', text => {
		expect(redact(text)).not.toContain('VALUE');
		expect(redactLines(text).join('\n')).not.toContain('VALUE');
	});

	it('stay recognisable: what is no secret of a line is shown', () => {
		expect(redact('curl -u bob:VALUE https://x.example/a?sig=VALUE&se=2026')).toBe(
			'curl -u bob:[redacted] https://x.example/a?sig=[redacted]&se=2026',
		);
		expect(redact('AccountName=x;AccountKey=VALUE==;EndpointSuffix=y')).toBe('AccountName=x;AccountKey=[redacted]');
		expect(redact('ssh://git@gitlab.example/a.git and docker run -u 1000:1000 -p 80:80 x')).toBe(
			'ssh://git@gitlab.example/a.git and docker run -u 1000:1000 -p 80:80 x',
		);
	});

	it('are found across the words of a command', () => {
		expect(redactArgv(['docker', 'login', '-u', 'bob', '-p', 'VALUE', 'reg'])).toEqual([
			...['docker', 'login', '-u', 'bob', '-p', '[redacted]', 'reg'],
		]);
		expect(redactArgv(['curl', '-u', 'bob:two VALUE', '-H', 'Private-Token: VALUE']).join(' ')).not.toContain('VALUE');
		expect(redactArgv(['docker', 'run', '-p', '80:80', 'a b'])).toEqual(['docker', 'run', '-p', '80:80', 'a b']);
	});
});

describe('what a megabyte of outside text costs', () => {
	const megabyte = 1 << 20;
	const repeated = (part: string) => (length: number) => part.repeat(Math.ceil(length / part.length));
	it.each([
		['names without a value', repeated('token ')],
		['quotes that do not close', repeated('token="')],
		['escaped quotes', (length: number) => `token=\\"${'\\"'.repeat(length / 2)}`],
		['addresses without a host', repeated('http://a')],
		['addresses with a user', repeated('http://a:b ')],
		['signs of a user', (length: number) => `http://${'@'.repeat(length)}`],
		['a path without end', (length: number) => `http://${'a/'.repeat(length / 2)}`],
		['beginnings of a web token', repeated('eyJ-')],
		['options of curl', (length: number) => `curl ${' -u '.repeat(length / 4)}`],
		['tags', (length: number) => `</token>${'<token>'.repeat(length / 7)}`],
		['beginnings of a key', repeated('-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----')],
		['references that do not close', repeated('TOKEN=${')],
		['options without a value', repeated(' --token')],
		['short lines', repeated('TOKEN=x\n')],
	])('grows with its length and no faster: %s', (_what, text) => {
		const looked = (length: number): number => {
			const meter = { looked: 0 };
			redact(text(length), meter);
			return meter.looked / length;
		};
		expect(looked(megabyte)).toBeLessThan(40);
		expect(looked(megabyte)).toBeLessThan(1.1 * looked(megabyte / 16) + 1);
	});
});
