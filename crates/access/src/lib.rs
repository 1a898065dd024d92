//! Who may have which hours: agreements, pools, organisations, calls, applications, allocations.
