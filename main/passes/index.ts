import type { Step } from '../../preload/contract/recipe.ts';
import { convertFloatPass } from './convertFloat.ts';
import { quantizeAwqPass } from './quantizeAwq.ts';
import { quantizeEmbeddingPass } from './quantizeEmbedding.ts';
import { quantizeGptqPass } from './quantizeGptq.ts';
import { quantizeHqqPass } from './quantizeHqq.ts';
import { quantizeInt8DynamicPass } from './quantizeInt8Dynamic.ts';
import { quantizeInt8StaticPass } from './quantizeInt8Static.ts';
import { quantizeKquantPass } from './quantizeKquant.ts';
import { quantizeMixedPass } from './quantizeMixed.ts';
import { quantizeRtnPass } from './quantizeRtn.ts';
import { smoothQuantPass } from './smoothQuant.ts';
import { fuse } from './fuse.ts';
import { lowRankPass } from './lowRank.ts';
import type { Pass, Passes } from './pass.ts';
import { headsPass } from './pruneHeads.ts';
import { layersPass } from './pruneLayers.ts';
import { magnitudePass } from './pruneMagnitude.ts';
import { neuronsPass } from './pruneNeurons.ts';
import { sparseGptPass } from './pruneSparseGpt.ts';
import { wandaPass } from './pruneWanda.ts';
import { unfuse } from './unfuse.ts';

/** Every pass by the name that recipes give it; each takes the step of its own name. */
const passes: Passes = {
  fuse,
  unfuse,
  'quantize-rtn': quantizeRtnPass,
  'quantize-kquant': quantizeKquantPass,
  'quantize-gptq': quantizeGptqPass,
  'quantize-awq': quantizeAwqPass,
  'quantize-hqq': quantizeHqqPass,
  'quantize-embedding': quantizeEmbeddingPass,
  'quantize-int8-dynamic': quantizeInt8DynamicPass,
  'quantize-int8-static': quantizeInt8StaticPass,
  'smooth-quant': smoothQuantPass,
  'quantize-mixed': quantizeMixedPass,
  'convert-float': convertFloatPass,
  'prune-magnitude': magnitudePass,
  'prune-wanda': wandaPass,
  'prune-sparsegpt': sparseGptPass,
  'prune-heads': headsPass,
  'prune-neurons': neuronsPass,
  'prune-layers': layersPass,
  'low-rank': lowRankPass,
};

/** The pass that a step asks for; undefined where there is none of that name. */
export function passOf(step: Step, among: Passes = passes): Pass | undefined {
  return among[step.pass];
}
