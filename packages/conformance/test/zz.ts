import { runConformance, formatReport } from '/work/main/packages/conformance/src/index.ts'
import { model } from '/work/main/packages/conformance/test/model.ts'
const r = await runConformance(model())
console.log(formatReport(r))
for (const c of r.checks) if (c.status==='failed') console.log(c.error)
