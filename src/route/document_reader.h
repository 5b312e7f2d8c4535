// Reads the rules of a document, and reports every error by its path. The fields are those of
// docs/rules.schema.json. Pure.
#ifndef TURNOUT_SRC_ROUTE_DOCUMENT_READER_H_
#define TURNOUT_SRC_ROUTE_DOCUMENT_READER_H_

#include <string>
#include <vector>

#include "src/route/rule_set.h"
#include "turnout/config_reader.h"

namespace turnout::route {

// In the document's order, the default last. `keys` gets the metadata keys to which they refer by
// index.
std::vector<Rule> ReadDocument(ConfigReader& reader, std::vector<std::string>& keys);

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_DOCUMENT_READER_H_
