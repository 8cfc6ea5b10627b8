/** What the stored numbers of each experiment of the study must satisfy. */
import type { ClaimRule, ClaimRules } from '../check-logs/claim-rules.js';
import { dualConditionRule, precisionRule } from './addition-rules.js';
import { exp1Rule, exp2bRule, exp2Rule, exp3bRule, exp3Rule } from './algebra-rules.js';
import { exp5bRule, exp5Rule } from './softmax-rules.js';
import { exp4bRule, exp4Rule } from './timing-rules.js';

export const ssdDualityRules: ClaimRules = {
  'exp1-scalar-equivalence': exp1Rule,
  'exp2-diagonal-equivalence': exp2Rule,
  'exp2b-timevarying-diagonal': exp2bRule,
  'exp3-rank-vs-state-dim': exp3Rule,
  'exp3b-rank-vs-state-dim': exp3bRule,
  'exp4-time-scaling': exp4Rule,
  'exp4b-time-scaling-errorbars': exp4bRule,
  'exp5-softmax-rank-growth': exp5Rule,
  'exp5b-rank-growth': exp5bRule,
  'dual-condition': dualConditionRule,
  'precision-study': precisionRule,
} satisfies Readonly<Record<string, ClaimRule>>;
