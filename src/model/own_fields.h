// Our own fields in a record's metadata: strings under `turnout.`.
//
// They refine how an instance is used, none of them decides whether it can be: one that is not as
// it should be counts as missing, so that a typing error does not take a server out of service.
#ifndef TURNOUT_SRC_MODEL_OWN_FIELDS_H_
#define TURNOUT_SRC_MODEL_OWN_FIELDS_H_

#include <map>
#include <string>

#include "turnout/instance.h"

namespace turnout::model {

// Sets the members of `instance` that its metadata speaks of.
void ReadOwnFields(Instance& instance);

// The instance's metadata, with our fields as its members have them; defaults are left out.
std::map<std::string, std::string> MetadataWithOwnFields(const Instance& instance);

}  // namespace turnout::model

#endif  // TURNOUT_SRC_MODEL_OWN_FIELDS_H_
