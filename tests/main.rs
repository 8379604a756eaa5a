//! Every test that looks at the project as a whole, in one binary.
