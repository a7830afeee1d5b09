import type { Check } from './check.ts';
import { daemonJsonChecks } from './daemon-json.ts';
import { dockerEngineChecks } from './docker-engine.ts';
import { initChecks } from './init.ts';
import { ageChecks } from './known-issues.ts';
import { namespaceChecks } from './namespaces.ts';
import { packageChecks } from './packages.ts';
import { platformChecks } from './platform.ts';
import { securityModuleChecks } from './security-modules.ts';
import { storageChecks } from './storage.ts';

/** All checks, in the order in which they are shown. Known issues come after them, with one finding an issue. */
export const hostChecks: readonly Check[] = [
	...platformChecks,
	...namespaceChecks,
	...initChecks,
	...dockerEngineChecks,
	...daemonJsonChecks,
	...storageChecks,
	...packageChecks,
	...securityModuleChecks,
	...ageChecks,
];
