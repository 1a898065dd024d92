//! What a job is: script, template, life cycle, charge rule.
