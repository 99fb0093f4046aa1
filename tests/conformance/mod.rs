//! What the documents ask, by document and section.
