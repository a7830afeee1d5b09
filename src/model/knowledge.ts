/**
 * What is known of distributions, kernels, releases and dockerd, as data with its source. The tables are in
 * `src/knowledge/`; steps get them as a value, so that no version number stands in a step.
 */
export interface Knowledge {
	/** ISO date on which the tables were last looked over. Older than 90 days: "is there a newer one" cannot be told. */
	readonly date: string;
	readonly distros: readonly DistroRow[];
	readonly kernelBands: readonly KernelBand[];
	readonly releases: readonly ReleaseRow[];
	readonly knownIssues: readonly KnownIssue[];
	readonly dockerdKeys: readonly DockerdKeyRow[];
	readonly endOfLife: readonly EndOfLifeRow[];
}

export interface Sourced {
	/** Where the row comes from, so that anyone can look it up. */
	readonly source: string;
}

export interface DistroRow extends Sourced {
	/** os-release ID. */
	readonly id: string;
	/** os-release VERSION_ID, or `*`. */
	readonly version: string;
	readonly support: 'vendor' | 'works' | 'source-build' | 'unsupported';
	/** Lowest kernel, such as 6.8. */
	readonly minKernel: string;
	readonly note?: string | undefined;
}

export interface KernelBand extends Sourced {
	/** This band begins at this kernel version (inclusive). */
	readonly from: string;
	readonly severity: 'ok' | 'info' | 'warn' | 'block';
	readonly meaning: string;
}

export interface ReleaseRow extends Sourced {
	readonly version: string;
	readonly date: string;
	readonly packages: readonly {
		readonly arch: 'amd64' | 'arm64';
		readonly url: string;
		readonly sha256: string;
		readonly provenance: string;
	}[];
}

/** Applies when every given condition holds; a condition is a semver range. */
export interface KnownIssue extends Sourced {
	readonly id: string;
	readonly title: string;
	readonly sysbox?: string | undefined;
	readonly docker?: string | undefined;
	readonly kernel?: string | undefined;
	readonly distro?: readonly string[] | undefined;
	readonly severity: 'info' | 'warn' | 'block';
	/** Vulnerabilities that are open where the row applies. */
	readonly cves?: readonly string[] | undefined;
	readonly consequence: string;
	/** What it prints where it shows: all of these words, to the letter. Without them it is known by its versions alone. */
	readonly symptom?: readonly string[] | undefined;
	readonly remedy: string;
}

/** Releases of Sysbox that get no fixes any more. */
export interface EndOfLifeRow extends Sourced {
	/** A semver range. */
	readonly sysbox: string;
	/** What is said of such a release. */
	readonly meaning: string;
}

export interface DockerdKeyRow extends Sourced {
	readonly key: string;
	/** The versions of Docker that the row is about, as a semver range; without it, every one. */
	readonly docker?: string | undefined;
	/** What a change of the key needs to be in force. */
	readonly change: 'reload' | 'restart';
	/**
	 * What its disappearance from the file needs. `reload`: dockerd then sets its default. `explicit`: it ignores absent
	 * keys on reload, and this JSON value, written out, is what they stand for.
	 */
	readonly removal: { readonly kind: 'reload' | 'restart' } | { readonly kind: 'explicit'; readonly value: string };
}
