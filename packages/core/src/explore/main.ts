/**
 * main.ts: @libcr/core/explore.
 */
import '../index.ts';

export { type Explored, ExploreError, type ExploreOptions, explore, type FindingKind } from './explore.ts';
