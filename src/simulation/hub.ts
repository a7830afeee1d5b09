import { sha256 } from './file-tree.ts';
import type { Image } from './state.ts';

function image(ref: string, megabytes: number, rest: Partial<Image> = {}): Image {
	const name = ref.split(':')[0] ?? ref;
	return {
		// Digests of a simulated hub: made from the name, so that they are the same each time and nobody's real ones.
		id: `sha256:${sha256(`simulated image ${ref}`)}`,
		tags: [ref],
		digests: [`${name}@sha256:${sha256(`simulated manifest ${ref}`)}`],
		size: Math.round(megabytes * 1_000_000),
		created: '2026-11-02T18:31:07.123456789Z',
		entrypoint: [],
		command: ['sh'],
		env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
		labels: {},
		user: '',
		volumes: [],
		...rest,
	};
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const dind = (ref: string, version: string): Image =>
	image(ref, 412, {
		entrypoint: ['dockerd-entrypoint.sh'],
		command: [],
		env: [path, `DOCKER_VERSION=${version}`, 'DOCKER_TLS_CERTDIR=/certs'],
		volumes: ['/var/lib/docker'],
	});

const client = (ref: string, version: string): Image =>
	image(ref, 226, {
		entrypoint: ['docker-entrypoint.sh'],
		command: ['sh'],
		env: [path, `DOCKER_VERSION=${version}`, 'DOCKER_TLS_CERTDIR=/certs'],
	});

const server = (ref: string, megabytes: number, rest: Partial<Image> = {}): Image =>
	image(ref, megabytes, { serves: true, entrypoint: ['service'], command: [], ...rest });

/** Images that the simulated internet has. */
export function hubImages(): Image[] {
	return [
		dind('docker:29-dind', '29.7.2'),
		dind('docker:dind', '29.7.2'),
		dind('docker:28-dind', '28.5.2'),
		client('docker:29-cli', '29.7.2'),
		client('docker:29', '29.7.2'),
		client('docker:cli', '29.7.2'),
		client('docker:latest', '29.7.2'),
		image('registry:2', 26, {
			serves: true,
			entrypoint: ['/entrypoint.sh'],
			command: ['/etc/docker/registry/config.yml'],
			volumes: ['/var/lib/registry'],
		}),
		image('registry:3', 38, {
			serves: true,
			entrypoint: ['/entrypoint.sh'],
			command: ['/etc/distribution/config.yml'],
			volumes: ['/var/lib/registry'],
		}),
		image('busybox:latest', 4.5),
		image('busybox:1.37', 4.5),
		image('busybox:stable', 4.5),
		image('alpine:latest', 8.3, { command: ['/bin/sh'] }),
		image('alpine:3.22', 8.3, { command: ['/bin/sh'] }),
		image('debian:latest', 120, { command: ['bash'] }),
		image('debian:13-slim', 78, { command: ['bash'] }),
		image('ubuntu:24.04', 78, { command: ['/bin/bash'] }),
		server('gitlab/gitlab-runner:latest', 812, { env: [path], volumes: ['/etc/gitlab-runner', '/home/gitlab-runner'] }),
		server('jenkins/inbound-agent:latest', 402, { user: 'jenkins', env: [path, 'AGENT_WORKDIR=/home/jenkins/agent'] }),
		server('postgres:17', 438, { volumes: ['/var/lib/postgresql/data'] }),
		server('verdaccio/verdaccio:6', 178, { user: '10001' }),
		server('minio/minio:latest', 176, {}),
		server('prom/node-exporter:latest', 24, { user: 'nobody' }),
	];
}
