import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseContainers } from '../../src/facts/docker-container.ts';
import { parseDockerContext } from '../../src/facts/docker-endpoint.ts';
import { parseReloadEvent } from '../../src/facts/docker-event.ts';
import { parseDockerInfo } from '../../src/facts/docker-info.ts';
import { parseBridgeNetwork } from '../../src/facts/docker-network.ts';
import { parsePlugins } from '../../src/facts/docker-plugin.ts';
import { parseDockerdVersion, parseDockerVersion } from '../../src/facts/docker-version.ts';
import { parseUnitFiles } from '../../src/facts/dockerd-flags.ts';
import { parsePackages } from '../../src/facts/dpkg.ts';
import { parseAddresses, parseRoutes } from '../../src/facts/ip-json.ts';
import { parseKernelRelease, parseUname } from '../../src/facts/kernel-release.ts';
import { parseMemInfo } from '../../src/facts/meminfo.ts';
import { parseMountInfo } from '../../src/facts/mountinfo.ts';
import { parseOsRelease } from '../../src/facts/os-release.ts';
import type { Reading } from '../../src/facts/reading.ts';
import { parseSubordinateIds } from '../../src/facts/subordinate-ids.ts';
import { parseSysboxVersion } from '../../src/facts/sysbox-version.ts';
import { parseCmdline, parseUnits } from '../../src/facts/systemd-show.ts';
import { parseIdMap } from '../../src/facts/uid-map.ts';

const parsers: Readonly<Record<string, (text: unknown) => Reading<unknown>>> = {
	parseContainers,
	parseDockerContext,
	parseReloadEvent,
	parseDockerInfo,
	parseBridgeNetwork,
	parsePlugins,
	parseDockerdVersion,
	parseDockerVersion,
	parseUnitFiles,
	parsePackages,
	parseAddresses,
	parseRoutes,
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
