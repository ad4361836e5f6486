import { constants, setPriority } from 'node:os'

// What only computes leaves the processors to what looks at the clock.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
