import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseContainers } from '../../src/docker/container.ts';
import { parseUnitFiles } from '../../src/docker/dockerd-flags.ts';
import { parseDockerContext } from '../../src/docker/endpoint.ts';
import { parseReloadEvent } from '../../src/docker/event.ts';
import { parseDockerInfo } from '../../src/docker/info.ts';
import { parseBridgeNetwork } from '../../src/docker/network.ts';
import { parsePlugins } from '../../src/docker/plugin.ts';
import { parseDockerVersion } from '../../src/docker/version.ts';
import { parseSysboxVersion } from '../../src/sysbox/version.ts';
import { parsePackages } from '../../src/system/dpkg.ts';
import { parseKernelRelease, parseUname } from '../../src/system/kernel-release.ts';
import { parseMemInfo } from '../../src/system/meminfo.ts';
import { parseMountInfo } from '../../src/system/mountinfo.ts';
import { parseOsRelease } from '../../src/system/os-release.ts';
import type { Reading } from '../../src/system/reading.ts';
import { parseSubordinateIds } from '../../src/system/subordinate-ids.ts';
import { parseCmdline, parseUnits } from '../../src/system/systemd-show.ts';
import { parseIdMap } from '../../src/system/uid-map.ts';

const parsers: Readonly<Record<string, (text: unknown) => Reading<unknown>>> = {
	parseContainers,
	parseDockerContext,
	parseReloadEvent,
	parseDockerInfo,
	parseBridgeNetwork,
	parsePlugins,
	parseDockerVersion,
	parseUnitFiles,
	parsePackages,
	parseKernelRelease,
	parseUname,
	parseMemInfo,
	parseMountInfo,
	parseOsRelease,
	parseSubordinateIds,
	parseSysboxVersion,
	parseCmdline,
	parseUnits,
	parseIdMap,
};

const oneOf = (reading: Reading<unknown>): boolean =>
	reading.kind === 'ok' || (reading.kind === 'unreadable' && reading.why.length > 0);

describe.each(Object.entries(parsers))('%s', (_name, parse) => {
	it('answers any text with a value or with a reason', () => {
		fc.assert(fc.property(fc.string({ unit: 'binary' }), text => oneOf(parse(text))));
	});

	it('answers any JSON with a value or with a reason', () => {
		fc.assert(fc.property(fc.json(), text => oneOf(parse(text))));
	});

	it('answers what is no text at all with a reason', () => {
		for (const nothing of [undefined, null, 7, {}, []]) expect(parse(nothing).kind).toBe('unreadable');
	});
});
