import type { DockerFacts } from '../../src/docker/daemon.ts';
import type { DaemonFile } from '../../src/docker/daemon-file.ts';
import type { DockerdUnit } from '../../src/docker/dockerd-unit.ts';
import type { Validation } from '../../src/docker/validation.ts';
import { runtimePath } from '../../src/sysbox/runtime.ts';
import type { SubordinateIds } from '../../src/system/subordinate-ids.ts';
import type { UnderDefault } from './under-default.ts';

export type ProgramState = 'runs' | 'missing' | 'not-executable' | 'denied';

export interface DaemonFacts {
	readonly root: boolean;
	readonly dockerd: DockerdUnit;
	/** What this dockerd reads, wherever that is. */
	readonly file: DaemonFile;
	readonly validation: Validation;
	readonly docker: DockerFacts;
	/** Every binary that the file registers as a runtime, by its path, and where sysbox-runc usually is. */
	readonly programs: ReadonlyMap<string, ProgramState>;
	readonly subuid: SubordinateIds | undefined;
	readonly subgid: SubordinateIds | undefined;
	/** Undefined where no default runtime can be asked for. */
	readonly underDefault: UnderDefault | undefined;
}

/** What the file, the unit and the programs tell. */
export type Registered = Omit<DaemonFacts, 'underDefault'>;

/** The package's place, then those of source builds. */
export const usualPlaces = [runtimePath, '/usr/local/sbin/sysbox-runc', '/usr/local/bin/sysbox-runc'] as const;
