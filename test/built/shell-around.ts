import { execFileSync } from 'node:child_process';

export const has = (program: string): boolean => {
	try {
		execFileSync('sh', ['-c', `command -v ${program}`]);
		return true;
	} catch {
		return false;
	}
};
