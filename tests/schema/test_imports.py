"""The modules of the schema import one way, though the types of GraphQL refer to one another in circles."""

from graphlib import TopologicalSorter

import grimp


def test_no_circle_of_imports_leads_through_the_schema() -> None:
    graph = grimp.build_graph("schema", exclude_type_checking_imports=True)
    imported = {
        module: graph.find_modules_directly_imported_by(module) for module in graph.modules if module != "schema"
    }
    TopologicalSorter(imported).prepare()  # raises CycleError with the circle


def test_only_the_references_name_a_type_before_its_module_is_imported() -> None:
    graph = grimp.build_graph("schema")
    without = grimp.build_graph("schema", exclude_type_checking_imports=True)
    ahead = {
        importer
        for importer in graph.modules
        if graph.find_modules_directly_imported_by(importer) != without.find_modules_directly_imported_by(importer)
    }
    assert ahead == {"schema.base.references"}
