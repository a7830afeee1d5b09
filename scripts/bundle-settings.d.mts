import type { BuildOptions } from 'esbuild';

export declare const bundleSettings: (version: string) => BuildOptions;
